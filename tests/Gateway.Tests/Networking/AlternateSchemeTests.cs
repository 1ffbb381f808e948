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

    [Theory]
    [InlineData("https", "https")]
    [InlineData("HTTPS", "https")]
    [InlineData("http", "http")]
    [InlineData("javascript", "http")]
    [InlineData("file", "http")]
    [InlineData("wss", "https")]
    [InlineData("WS", "http")]
    [InlineData("javascript, https", "http")]
    public async Task A_scheme_that_is_none_of_HTTP_is_ignored(string said, string scheme)
    {
        await using var platform = new Behind("127.0.0.1");
        await platform.InitializeAsync();

        Assert.Equal(200, (await RawHttp.SendAsync(platform.Http1, "/open/scheme", "GET", "X-Forwarded-Proto: " + said)).Status);

        Assert.Equal([scheme], Assert.Single(platform.Received("/open/scheme")).Headers["X-Forwarded-Proto"]);
    }

    [Fact]
    public async Task Over_HTTP2_a_scheme_that_is_none_of_HTTP_is_ignored()
    {
        await using var platform = new Behind("127.0.0.1");
        await platform.InitializeAsync();

        Assert.Equal(Http2Wire.Headers, await SendAsync(platform, "/plain/alternate", "javascript"));

        Assert.Equal(["http"], Assert.Single(platform.Received("/plain/alternate")).Headers["X-Forwarded-Proto"]);
    }

    // Kestrel takes :authority, and no Host beside it reaches any step (RFC 9113, 8.3.1).
    [Fact]
    public async Task Over_HTTP2_a_host_beside_the_authority_means_nothing()
    {
        await using var platform = new Behind(null, allowedHosts: "127.0.0.1");
        await platform.InitializeAsync();

        await SendAsync(platform, "/plain/hosts", "http", ("host", "evil.example.com"), ("host", "another.example.com"));
        await SendAsync(platform, "/plain/authority", "http", ("host", "127.0.0.1"), (":authority", "evil.example.com"));

        var headers = Assert.Single(platform.Received("/plain/hosts")).Headers;
        Assert.Equal([new Uri(platform.Http2).Authority], headers["X-Forwarded-Host"]);
        Assert.DoesNotContain(headers, static header => header.Value.Any(static value => value.Contains("example.com", StringComparison.Ordinal)));
        Assert.Empty(platform.Received("/plain/authority"));
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
    private static async Task<byte> SendAsync(
        BothProtocols platform, string path, string scheme = "https", params (string Name, string Value)[] more)
    {
        using var patience = new CancellationTokenSource(Eventually.Limit);
        var url = new Uri(platform.Http2);
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port, patience.Token);
        await using var stream = client.GetStream();
        (string, string)[] pseudo = [(":method", "GET"), (":scheme", scheme), (":path", path), .. more.Where(static field => field.Name[0] == ':')];
        if (!pseudo.Any(static field => field.Item1 == ":authority")) pseudo = [.. pseudo, (":authority", url.Authority)];
        var fields = Http2Wire.Fields(
            [.. pseudo, .. more.Where(static field => field.Name[0] != ':'), ("authorization", "Bearer " + platform.World.Token())]);
        await stream.WriteAsync(
            (byte[])[.. Http2Wire.Preface, .. Http2Wire.Frame(Http2Wire.Headers, Http2Wire.EndHeaders | Http2Wire.EndStream, 1, fields)], patience.Token);
        while (await Http2Wire.ReadAsync(stream, patience.Token) is var (type, _, streamId, _))
            if (streamId == 1 && type is Http2Wire.Headers or Http2Wire.Reset) return type;
        throw new EndOfStreamException();
    }

    private sealed class Behind(string? proxy, string? allowedHosts = null) : BothProtocols
    {
        protected override void Change(JsonObject settings)
        {
            base.Change(settings);
            if (allowedHosts is not null) settings.Set("AllowedHosts", $"\"{allowedHosts}\"");
            if (proxy is not null) settings.Set("Edge:TrustedProxies", $"""["{proxy}"]""");
        }
    }
}
