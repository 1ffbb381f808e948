using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Tests.Edge;
using Testing;
using Xunit;

namespace Gateway.Tests.Logs;

/// <summary>A client that leaves in the middle of an upload has refused the gateway, and not the other way round.</summary>
public sealed class ClientDepartureTests(ClientDepartureTests.Platform platform) : IClassFixture<ClientDepartureTests.Platform>
{
    private const int Uploads = 20;

    private static CancellationToken Patience => new CancellationTokenSource(Eventually.Limit).Token;

    [Theory]
    [InlineData("Content-Length: 50000\r\n\r\n", false)]
    [InlineData("Content-Length: 50000\r\n\r\n", true)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nc350\r\n", false)]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nc350\r\n", true)]
    public async Task An_upload_that_its_client_leaves_is_499(string framing, bool resets)
    {
        var path = $"/waiting/{Guid.NewGuid():N}";
        for (var i = 0; i < Uploads; i++)
        {
            using var client = new TcpClient();
            var url = new Uri(platform.Http1);
            await client.ConnectAsync(url.Host, url.Port, Patience);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: x\r\n{framing}some"), Patience);
            await platform.Arrived.WaitAsync(Patience);
            if (resets) client.LingerState = new LingerOption(true, 0);
        }

        await AllAreAsync(path, "499 client_left 0");
    }

    [Fact]
    public async Task A_stream_of_HTTP_2_that_its_client_resets_is_499()
    {
        var path = $"/waiting/{Guid.NewGuid():N}";
        for (var i = 0; i < Uploads; i++)
        {
            using var client = new TcpClient();
            var url = new Uri(platform.Http2);
            await client.ConnectAsync(url.Host, url.Port, Patience);
            var stream = client.GetStream();
            var fields = Http2Wire.Fields((":method", "POST"), (":scheme", "http"), (":path", path), (":authority", url.Authority));
            await stream.WriteAsync(
                (byte[])
                [
                    .. Http2Wire.Preface, .. Http2Wire.Frame(Http2Wire.Headers, Http2Wire.EndHeaders, 1, fields),
                    .. Http2Wire.Frame(Http2Wire.Data, 0, 1, "some"u8.ToArray()),
                ],
                Patience);
            await platform.Arrived.WaitAsync(Patience);
            // CANCEL
            await stream.WriteAsync(Http2Wire.Frame(Http2Wire.Reset, 0, 1, [0, 0, 0, 8]), Patience);
            await LineAsync(path, i + 1);
        }

        await AllAreAsync(path, "499 client_left 0");
    }

    [Fact]
    public async Task A_body_that_is_not_well_formed_stays_400()
    {
        var path = $"/waiting/{Guid.NewGuid():N}";

        var response = await RawHttp.ExchangeAsync(
            platform.Http1, $"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello and more\r\n");
        await platform.Arrived.WaitAsync(Patience);

        Assert.StartsWith("HTTP/1.1 400 ", response, StringComparison.Ordinal);
        Assert.Equal("bad_request", (await AccessLines.OfPathAsync(platform.Gateway, path)).GetProperty("reason").GetString());
    }

    private Task LineAsync(string path, int count) => Eventually.IsTrueAsync(() => Of(path).Count == count, () => platform.Gateway.Log.Text);

    private async Task AllAreAsync(string path, string expected)
    {
        await LineAsync(path, Uploads);
        Assert.Equal([expected], Of(path).Distinct());
    }

    private List<string> Of(string path) =>
    [
        .. from line in AccessLines.Of(platform.Gateway)
        where line.Contains(path, StringComparison.Ordinal)
        let entry = JsonDocument.Parse(line).RootElement
        select $"{entry.GetProperty("status")} {entry.GetProperty("reason")} {entry.GetProperty("bytes")}",
    ];

    public sealed class Platform : BothProtocols
    {
        private readonly StubTcpServer _waiting;

        public Platform() => _waiting = new(WaitAsync);

        /// <summary>Released for each request that has reached the service.</summary>
        public SemaphoreSlim Arrived { get; } = new(0);

        protected override void Change(JsonObject settings)
        {
            base.Change(settings);
            settings
                .Set("ReverseProxy:Clusters:waiting", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{_waiting.Port}}/" } } }""")
                .Route("waiting", "/waiting/{**rest}", """{ "ClusterId": "waiting", "AuthorizationPolicy": "Anonymous" }""");
        }

        // Reads, and never responds.
        private async Task WaitAsync(Stream stream, CancellationToken ended)
        {
            await stream.ReadExactlyAsync(new byte[1], ended);
            Arrived.Release();
            await stream.CopyToAsync(Stream.Null, ended);
        }
    }
}
