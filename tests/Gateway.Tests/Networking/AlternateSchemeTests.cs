using System.Net.Sockets;
using System.Text.Json.Nodes;
using Gateway.Tests.Edge;
using Testing;
using Xunit;

namespace Gateway.Tests.Networking;

/// <summary>Over HTTP/2 the scheme is a part of the request. A proxy that ends TLS sends its client's, and only a trusted proxy is believed.</summary>
public sealed class AlternateSchemeTests
{
    [Theory]
    [InlineData("127.0.0.1", "https")]
    [InlineData("10.0.0.1", "http")]
    public async Task The_scheme_of_a_request_is_what_a_trusted_proxy_says(string proxy, string scheme)
    {
        await using var platform = new Behind(proxy);
        await platform.InitializeAsync();

        var frame = await SendAsync(platform, "/plain/alternate");

        Assert.Equal(Http2Wire.Headers, frame);
        Assert.Equal([scheme], Assert.Single(platform.Received("/plain/alternate")).Headers["X-Forwarded-Proto"]);
    }

    [Fact]
    public async Task Without_proxies_a_scheme_that_is_not_the_connections_is_an_error()
    {
        await using var platform = new Behind(null);
        await platform.InitializeAsync();

        var frame = await SendAsync(platform, "/plain/alternate");

        Assert.Equal(Http2Wire.Reset, frame);
        Assert.Empty(platform.Received("/plain/alternate"));
    }

    /// <summary>The type of the first frame of a response.</summary>
    private static async Task<byte> SendAsync(BothProtocols platform, string path)
    {
        using var patience = new CancellationTokenSource(Eventually.Limit);
        var url = new Uri(platform.Http2);
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port, patience.Token);
        await using var stream = client.GetStream();
        var fields = Http2Wire.Fields(
            (":method", "GET"), (":scheme", "https"), (":path", path), (":authority", url.Authority), ("authorization", "Bearer " + platform.World.Token()));
        await stream.WriteAsync(
            (byte[])[.. Http2Wire.Preface, .. Http2Wire.Frame(Http2Wire.Headers, Http2Wire.EndHeaders | Http2Wire.EndStream, 1, fields)], patience.Token);
        while (await Http2Wire.ReadAsync(stream, patience.Token) is var (type, _, streamId, _))
            if (streamId == 1 && type is Http2Wire.Headers or Http2Wire.Reset) return type;
        throw new EndOfStreamException();
    }

    private sealed class Behind(string? proxy) : BothProtocols
    {
        protected override void Change(JsonObject settings)
        {
            base.Change(settings);
            if (proxy is not null) settings.Set("Edge:TrustedProxies", $"""["{proxy}"]""");
        }
    }
}
