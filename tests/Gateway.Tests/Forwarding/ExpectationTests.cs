using System.Text;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>A client that waits with its body for <c>100 Continue</c> (RFC 9110, 10.1.1) gets the service's decision, and uploads for nothing otherwise.</summary>
public sealed class ExpectationTests(ExpectationTests.Platform platform) : IClassFixture<ExpectationTests.Platform>
{
    // More than the buffers between client and service hold.
    private static readonly string s_long = new('x', 16_000_000);

    [Theory]
    [InlineData("100-continue")]
    [InlineData("100-Continue")]
    public async Task A_service_that_refuses_an_upload_by_its_headers_is_passed_on(string expectation)
    {
        var answer = await RawHttp.ExchangeAsync(
            platform.Gateway.Url,
            $"PUT /refusing/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {platform.World.Token()}\r\nExpect: {expectation}\r\n"
            + $"Content-Length: {s_long.Length}\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 413 ", answer, StringComparison.Ordinal);
        Assert.EndsWith("too big", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PUT", "100-continue", "Expect: 100-continue")]
    [InlineData("POST", "100-continue", "")]
    [InlineData("PUT", "forged", "")]
    public async Task An_upload_that_the_service_takes_arrives_whole(string method, string expectation, string sent)
    {
        var answer = await RawHttp.ExchangeAsync(
            platform.Gateway.Url,
            $"{method} /taking/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {platform.World.Token()}\r\nExpect: {expectation}\r\n"
            + "Content-Length: 5\r\nConnection: close\r\n\r\nhello");

        var last = answer[answer.LastIndexOf("HTTP/1.1 ", StringComparison.Ordinal)..];
        Assert.StartsWith("HTTP/1.1 200 ", last, StringComparison.Ordinal);
        var head = last[(last.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        Assert.Equal(sent, head.Split("\r\n").FirstOrDefault(static line => line.StartsWith("Expect:", StringComparison.OrdinalIgnoreCase)) ?? "");
        Assert.EndsWith("hello", head, StringComparison.Ordinal);
    }

    public sealed class Platform : PlatformFixture
    {
        private readonly ScriptedService _refusing = new("HTTP/1.1 413 Content Too Large\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntoo big");
        private readonly StubTcpServer _taking = new(TakeAsync);

        protected override void Change(JsonObject settings) => settings
            .Set("ReverseProxy:Clusters:refusing", $$"""{ "Destinations": { "a": { "Address": "{{_refusing.Url}}" } } }""")
            .Set("ReverseProxy:Clusters:taking", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{_taking.Port}}/" } } }""")
            .Route("refusing", "/refusing/{**rest}", """{ "ClusterId": "refusing" }""")
            .Route("taking", "/taking/{**rest}", """{ "ClusterId": "taking" }""");

        // Asks for the body if the client waits for that, and sends back all that arrived.
        private static async Task TakeAsync(Stream stream, CancellationToken ended)
        {
            var received = new MemoryStream();
            var buffer = new byte[4096];
            var isAsked = false;
            while (!Text().EndsWith("hello", StringComparison.Ordinal))
            {
                if (!isAsked && Text() is var head && head.EndsWith("\r\n\r\n", StringComparison.Ordinal)
                    && head.Contains("100-continue", StringComparison.OrdinalIgnoreCase))
                {
                    isAsked = true;
                    await stream.WriteAsync("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray(), ended);
                }

                var read = await stream.ReadAsync(buffer, ended);
                if (read == 0) return;
                received.Write(buffer, 0, read);
            }

            var answer = $"HTTP/1.1 200 OK\r\nContent-Length: {received.Length}\r\nConnection: close\r\n\r\n{Text()}";
            await stream.WriteAsync(Encoding.ASCII.GetBytes(answer), ended);

            string Text() => Encoding.ASCII.GetString(received.ToArray());
        }
    }
}
