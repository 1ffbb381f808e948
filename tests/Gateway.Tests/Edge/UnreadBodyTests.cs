using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Forwarding;
using Gateway.Tests.Hosting;
using Gateway.Tests.Logs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Testing;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>A body that nobody read is never taken for the next requests of its connection.</summary>
public sealed class UnreadBodyTests(UnreadBodyTests.Platform platform) : IClassFixture<UnreadBodyTests.Platform>
{
    private const int Connections = 10;
    private const int Smuggled = 30;
    private const string Length = "Content-Length: 50000";
    private const string Expect = "Expect: 100-continue\r\n" + Length;
    private const string Chunked = "Transfer-Encoding: chunked";

    private static readonly byte[] s_next = "GET /open/next HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray();

    [Theory]
    [InlineData("http", "POST /open/1", Length)]
    [InlineData("http", "POST /open/1", Expect)]
    [InlineData("http", "PUT /open/1", Expect)]
    [InlineData("http", "POST /open/1", Chunked)]
    [InlineData("http", "POST /early/1", Length)]
    [InlineData("http", "POST /early/1", Chunked)]
    [InlineData("http", "POST /plain/1", Length)]
    [InlineData("http", "POST /plain/1", Expect)]
    [InlineData("http", "POST /plain/1", Length, "a.b.c")]
    [InlineData("http", "POST /nowhere", Length)]
    [InlineData("http", "POST /nowhere", Chunked)]
    [InlineData("http", "POST /open/%2f", Length)]
    [InlineData("http", "TRACE /open/1", Length)]
    [InlineData("http", "POST /plain/1", Length, null, true)]
    [InlineData("http", "POST /nowhere", Expect, null, true)]
    [InlineData("tls", "POST /open/1", Length)]
    [InlineData("tls", "POST /plain/1", Length)]
    [InlineData("tls", "POST /nowhere", Expect)]
    public async Task The_body_of_a_client_that_leaves_holds_no_requests(string listener, string first, string framing, string? token = null, bool late = false)
    {
        var path = $"/open/{Guid.NewGuid():N}";

        for (var i = 0; i < Connections; i++) await LeaveAsync(listener, Upload(first, framing, token, $"POST {path}/1"), late);

        // Lines are written in order.
        await RawHttp.SendAsync(platform.Http, path + "/last");
        await AccessLines.OfPathAsync(platform.Gateway, path + "/last");
        Assert.DoesNotContain(AccessLines.Of(platform.Gateway), line => line.Contains(path + "/1", StringComparison.Ordinal));
        Assert.Empty(platform.Received(path + "/1"));
    }

    [Theory]
    [InlineData("POST /nowhere", Length)]
    [InlineData("POST /nowhere", Chunked)]
    [InlineData("POST /health/live", Length)]
    [InlineData("GET /health/live", Length)]
    [InlineData("GET /metrics", Expect)]
    public async Task Nor_at_the_management_listener(string first, string framing)
    {
        var before = platform.Checked;

        for (var i = 0; i < Connections; i++) await LeaveAsync("management", Upload(first, framing, null, "GET /health/ready"), late: false);

        Assert.Equal(before, platform.Checked);
    }

    [Theory]
    [InlineData("PUT /plain/1", 401)]
    [InlineData("PUT /nowhere", 401)]
    [InlineData("PUT /open/%2f", 400)]
    [InlineData("TRACE /open/1", 405)]
    [InlineData("PUT /early/1", 413)]
    [InlineData("PUT /nowhere", 401, "Transfer-Encoding: chunked")]
    public async Task A_response_before_the_body_closes_its_connection_and_says_so(string first, int status, string length = "Content-Length: 5000")
    {
        using var client = new TcpClient { NoDelay = true };
        await using var stream = await ConnectAsync(client, "http");
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{first} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n{length}\r\n\r\n"));
        using var reader = new StreamReader(stream);
        var head = new List<string>();
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { Length: > 0 } line) head.Add(line);

        await stream.WriteAsync((byte[])[.. new byte[5000], .. s_next]);
        var rest = await RestAsync(reader);

        Assert.StartsWith($"HTTP/1.1 {status} ", head[0], StringComparison.Ordinal);
        Assert.Contains("Connection: close", head);
        Assert.DoesNotContain("HTTP/1.1", rest, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST /open/1", "Content-Length: 5\r\n\r\nhello", 200)]
    [InlineData("POST /open/1", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200)]
    [InlineData("POST /plain/1", "Content-Length: 5\r\n\r\nhello", 401)]
    [InlineData("POST /nowhere", "Content-Length: 5\r\n\r\nhello", 401)]
    [InlineData("POST /open/%2f", "Content-Length: 5\r\n\r\nhello", 400)]
    [InlineData("POST /nowhere", "Content-Length: 0\r\n\r\n", 401)]
    public async Task A_connection_stays_open_when_the_body_has_arrived(string first, string rest, int status)
    {
        var responses = await RawHttp.ExchangeAsync(
            platform.Http, $"{first} HTTP/1.1\r\nHost: x\r\n{rest}GET /open/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

        Assert.Equal([$"{status}", "200"], responses.Split("HTTP/1.1 ")[1..].Select(static response => response[..3]));
    }

    private static string Upload(string first, string framing, string? token, string smuggled) =>
        $"{first} HTTP/1.1\r\nHost: x\r\n{(token is null ? "" : $"Authorization: Bearer {token}\r\n")}{framing}\r\n\r\n"
        + (framing == Chunked ? "c350\r\n" : "")
        + string.Concat(Enumerable.Repeat($"{smuggled} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", Smuggled));

    /// <summary>Sends the bytes, closes this side of the connection, and waits until the gateway has closed its own.</summary>
    private async Task LeaveAsync(string listener, string bytes, bool late)
    {
        using var client = new TcpClient { NoDelay = true };
        await using var stream = await ConnectAsync(client, listener);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(bytes));
        if (late) await stream.ReadExactlyAsync(new byte[1]);
        client.Client.Shutdown(SocketShutdown.Send);
        using var reader = new StreamReader(stream);
        await RestAsync(reader);
    }

    private async Task<Stream> ConnectAsync(TcpClient client, string listener)
    {
        var url = new Uri(listener switch { "http" => platform.Http, "tls" => platform.Tls, _ => platform.Gateway.ManagementUrl });
        await client.ConnectAsync(url.Host, url.Port);
        if (listener != "tls") return client.GetStream();
        var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=localhost",
        });
        return tls;
    }

    private static async Task<string> RestAsync(StreamReader reader)
    {
        using var patience = new CancellationTokenSource(Eventually.Limit);
        try
        {
            return await reader.ReadToEndAsync(patience.Token);
        }
        catch (IOException)
        {
            // Closed with some of what was sent unread.
            return "";
        }
    }

    public sealed class Platform : PlatformFixture
    {
        private readonly IssuedCertificates _certificates = new();
        private readonly ScriptedService _early = new("HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntoo big");
        private readonly int _http = FreePort.Find();
        private readonly int _tls = FreePort.Find();
        private int _checked;

        public string Http => $"http://127.0.0.1:{_http}";

        public string Tls => $"https://127.0.0.1:{_tls}";

        /// <summary>How often readiness was asked for.</summary>
        public int Checked => _checked;

        protected override void Change(JsonObject settings)
        {
            _certificates.Write("tls", _certificates.Issue());
            settings.Remove("Urls");
            settings
                .Set("Kestrel:Endpoints:Http:Url", $"\"{Http}\"")
                .Set("Kestrel:Endpoints:Tls", $$"""
                    {
                      "Url": "{{Tls}}",
                      "Certificate": { "Path": "{{_certificates.PathOf("tls/tls.crt")}}", "KeyPath": "{{_certificates.PathOf("tls/tls.key")}}" }
                    }
                    """)
                .Set("ReverseProxy:Clusters:early", $$"""{ "Destinations": { "a": { "Address": "{{_early.Url}}" } } }""")
                .Route("early", "/early/{**rest}", """{ "ClusterId": "early", "AuthorizationPolicy": "Anonymous" }""");
        }

        protected override void Replace(IServiceCollection services) => services.AddHealthChecks().AddCheck("counted", () =>
        {
            Interlocked.Increment(ref _checked);
            return HealthCheckResult.Healthy();
        });
    }
}
