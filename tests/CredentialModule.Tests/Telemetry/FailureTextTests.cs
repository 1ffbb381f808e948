using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text.Json;
using Amazon.Runtime;
using IotCredentials.Failures;
using Microsoft.IdentityModel.Tokens;
using StackExchange.Redis;
using Xunit;

namespace IotCredentials.Tests.Telemetry;

/// <summary>Of an exception of any library its kind is told, and none of its text.</summary>
public sealed class FailureTextTests
{
    private static readonly Uri s_address = new("https://user:hunter2@sts.example.invalid/path?key=hunter2");

    public static TheoryData<string, Exception, string> Failures => new()
    {
        {
            "D3 a proxy that asks for a password",
            new HttpRequestException(
                HttpRequestError.ProxyTunnelError,
                "The proxy tunnel request to proxy 'http://user:hunter2@proxy:3128/' failed with status code '407'.",
                null,
                HttpStatusCode.ProxyAuthenticationRequired),
            "does not let it pass (407)"
        },
        {
            "D3 a proxy that is broken, within others",
            new AmazonClientException(
                "hunter2",
                new HttpRequestException(HttpRequestError.ProxyTunnelError, "hunter2", new IOException("hunter2"), HttpStatusCode.BadGateway)),
            "does not let it pass (502)"
        },
        {
            "D4 a name",
            new HttpRequestException(HttpRequestError.NameResolutionError, "hunter2", new SocketException((int)SocketError.HostNotFound)),
            "the name sts.example.invalid does not resolve"
        },
        {
            "D4 a reset",
            new IOException("hunter2", new SocketException((int)SocketError.ConnectionReset)),
            "IOException, ConnectionReset (sts.example.invalid:443)"
        },
        { "D4 a response cut off", new HttpIOException(HttpRequestError.ResponseEnded, "hunter2"), "ResponseEnded (sts.example.invalid:443)" },
        { "D4 no response", new TaskCanceledException("hunter2", new TimeoutException("hunter2")), "no response in time (sts.example.invalid:443)" },
        {
            "D4 AWS's words",
            new AmazonServiceException("hunter2", ErrorType.Sender, "hunter2", "hunter2", HttpStatusCode.Forbidden),
            "AmazonServiceException (sts.example.invalid:443)"
        },
        {
            "D4 a whole response",
            new AmazonUnmarshallingException("hunter2", "hunter2", "hunter2", "hunter2", null),
            "AmazonUnmarshallingException (sts.example.invalid:443)"
        },
        {
            "D4 Redis's words",
            new RedisServerException(RedisErrorKind.None, CommandFlags.None, "ERR unknown command 'AUTH', with args beginning with: 'gateway' 'hunter2'"),
            "ERR (sts.example.invalid:443)"
        },
        {
            "D4 Redis's words without a code",
            new RedisServerException(RedisErrorKind.None, CommandFlags.None, "hunter2"),
            "RedisServerException (sts.example.invalid:443)"
        },
        {
            "D4 a connection to Redis",
            new RedisConnectionException(ConnectionFailureType.AuthenticationFailure, CommandFlags.None, "hunter2"),
            "RedisConnectionException AuthenticationFailure (sts.example.invalid:443)"
        },
        { "D4 a token", new SecurityTokenMalformedException("IDX hunter2"), "SecurityTokenMalformedException (sts.example.invalid:443)" },
        { "D4 a certificate", new AuthenticationException("hunter2"), "AuthenticationException (sts.example.invalid:443)" },
        { "D4 JSON", new JsonException("hunter2", "$.hunter2", 1, 1), "JsonException (sts.example.invalid:443)" },
        { "D4 a WebSocket", new WebSocketException(WebSocketError.NotAWebSocket, "hunter2"), "NotAWebSocket (sts.example.invalid:443)" },
        { "D4 an address", new UriFormatException("Invalid URI: http://user:hunter2@"), "UriFormatException (sts.example.invalid:443)" },
        {
            "D4 several",
            new AggregateException("hunter2", new InvalidOperationException("hunter2")),
            "AggregateException, InvalidOperationException (sts.example.invalid:443)"
        },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public void D4_no_part_of_an_exceptions_text_is_told(string name, Exception failure, string told)
    {
        Assert.EndsWith(told, FailureText.Of(failure, s_address), StringComparison.Ordinal);
        foreach (var text in (string[])[FailureText.Of(failure, s_address), FailureText.Of(failure), FailureText.Kinds(failure)])
            Assert.False(text.Contains("hunter2", StringComparison.Ordinal), $"{name}: {text}");
    }

    [Fact]
    public void D4_words_of_our_own_are_told() =>
        Assert.Equal("AWS said no", FailureText.Of(new VendingException(FailureClass.Refused, "AWS said no"), s_address));
}
