using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>S16: one address holds neither all connections nor silent ones for long.</summary>
public sealed class ConnectionLimitTests : IAsyncLifetime
{
    private const string Request = "GET /open/status/204 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

    private readonly FakeTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private World _world = null!;
    private RunningGateway _gateway = null!;
    private readonly int _http1 = FreePort.Find();
    private readonly int _http2 = FreePort.Find();
    private string _url = "";

    private static CancellationToken Patience => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync(_clock);
        _gateway = await _world.StartGatewayAsync(settings =>
        {
            settings.Remove("Urls");
            settings.WithoutRedis()
                .Set("AllowedHosts", "\"127.0.0.1;localhost\"")
                .Set("Edge", """{ "ConnectionsPerAddress": 3, "TrustedProxies": ["127.0.0.3", "10.0.0.0/8"] }""")
                .Set("Kestrel:Limits:RequestHeadersTimeout", "\"00:00:10\"")
                .Set("Kestrel:Endpoints:One", $$"""{ "Url": "http://127.0.0.1:{{_http1}}" }""")
                .Set("Kestrel:Endpoints:Two", $$"""{ "Url": "http://127.0.0.1:{{_http2}}", "Protocols": "Http2" }""")
                .Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }""");
        });
        _url = $"http://127.0.0.1:{_http1}";
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [InlineData("S16 nothing at all", "")]
    [InlineData("S16 a part of a request line", "GET /open")]
    [InlineData("S16 a part of the headers", "GET /open/x HTTP/1.1\r\nHost:")]
    [InlineData("S16 a line end", "\r\n")]
    [InlineData("S16 the beginning of a TLS handshake", "\u0016\u0003\u0001\u0002")]
    public async Task S16_a_connection_without_a_request_is_closed_in_time_and_one_with_a_request_is_kept(string row, string sent)
    {
        using var kept = await OpenAsync("127.0.0.5", Request);
        Assert.StartsWith("HTTP/1.1 204", await ReadAsync(kept), StringComparison.Ordinal);
        using var silent = await OpenAsync("127.0.0.6", sent);

        await ClosesAsync(silent, row, () => _clock.Advance(TimeSpan.FromSeconds(16)));

        await kept.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Request), Patience);
        Assert.StartsWith("HTTP/1.1 204", await ReadAsync(kept), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("S16 a host that is not allowed", "GET /open/x HTTP/1.1\r\nHost: 10.1.2.3\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("S16 a method that is not let in", "PURGE /open/x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 405")]
    [InlineData("S16 no token", "GET /none HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "HTTP/1.1 401")]
    public async Task S16_a_request_that_is_refused_has_arrived(string row, string sent, string expected)
    {
        using var refused = await OpenAsync("127.0.0.10", sent);
        Assert.StartsWith(expected, await ReadAsync(refused), StringComparison.Ordinal);
        using var silent = await OpenAsync("127.0.0.6", "");
        await ClosesAsync(silent, row, () => _clock.Advance(TimeSpan.FromSeconds(16)));

        await refused.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Request), Patience);
        Assert.StartsWith("HTTP/1.1 204", await ReadAsync(refused), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task S16_a_WebSocket_has_sent_its_request(int version)
    {
        using var socket = new ClientWebSocket();
        socket.Options.HttpVersion = version == 1 ? HttpVersion.Version11 : HttpVersion.Version20;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        var url = version == 1 ? _url : $"http://127.0.0.1:{_http2}";
        using var handler = new SocketsHttpHandler();
        using var invoker = new HttpMessageInvoker(handler);
        await socket.ConnectAsync(new Uri(url.Replace("http", "ws", StringComparison.Ordinal) + "/open/socket"), invoker, Patience);

        for (var i = 0; i < 3; i++)
        {
            await socket.SendAsync(new byte[1], WebSocketMessageType.Binary, true, Patience);
            Assert.Equal(1, (await socket.ReceiveAsync(new byte[8], Patience)).Count);
            _clock.Advance(TimeSpan.FromSeconds(16));
        }
    }

    [Fact]
    public async Task S16_a_proxys_connection_may_be_silent()
    {
        using var silent = await OpenAsync("127.0.0.3", "");
        for (var i = 0; i < 3; i++) Assert.StartsWith("HTTP/1.1 204", await ExchangeAsync("127.0.0.9"), StringComparison.Ordinal);
        _clock.Advance(TimeSpan.FromMinutes(5));

        await silent.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Request), Patience);

        Assert.StartsWith("HTTP/1.1 204", await ReadAsync(silent), StringComparison.Ordinal);
    }

    [Fact]
    public async Task S16_an_address_holds_so_many_connections_and_others_are_served()
    {
        var held = new List<TcpClient>();
        foreach (var from in (string[])["127.0.0.7", "127.0.0.7", "127.0.0.7", "127.0.0.3", "127.0.0.3", "127.0.0.3", "127.0.0.3", "127.0.0.3"])
        {
            held.Add(await OpenAsync(from, Request));
            Assert.StartsWith("HTTP/1.1 204", await ReadAsync(held[^1]), StringComparison.Ordinal);
        }

        for (var i = 0; i < 3; i++) Assert.Equal("", await ExchangeAsync("127.0.0.7"));
        Assert.StartsWith("HTTP/1.1 204", await ExchangeAsync("127.0.0.8"), StringComparison.Ordinal);
        // Said once a minute at most, and counted.
        Assert.Equal(1, _gateway.Log.Count(LogLevel.Warning, "The address 127.0.0.7 holds as many connections"));
        _clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("", await ExchangeAsync("127.0.0.7"));
        await _gateway.Log.WaitForAsync(LogLevel.Warning, "3 of all addresses since the last such line");
        Assert.Matches(
            "gateway_connections_closed_total\\{[^}]*reason=\"address\"[^}]*\\} 4", (await _world.Client.SendAsync(_gateway.ManagementUrl + "/metrics")).Body);

        held[0].Dispose();
        await Eventually.IsTrueAsync(
            async () => (await ExchangeAsync("127.0.0.7")).StartsWith("HTTP/1.1 204", StringComparison.Ordinal), static () => "still refused");
        held.ForEach(each => each.Dispose());
    }

    private async Task<string> ExchangeAsync(string from)
    {
        try
        {
            return await RawHttp.ExchangeAsync(_url, Request.Replace("Host:", "Connection: close\r\nHost:", StringComparison.Ordinal), from);
        }
        catch (SocketException)
        {
            // Closed while it was made.
            return "";
        }
    }

    private async Task<TcpClient> OpenAsync(string from, string bytes)
    {
        var client = new TcpClient(new IPEndPoint(IPAddress.Parse(from), 0));
        await client.ConnectAsync(IPAddress.Loopback, new Uri(_url).Port, Patience);
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes), Patience);
        return client;
    }

    private static async Task<string> ReadAsync(TcpClient client)
    {
        var buffer = new byte[16 * 1024];
        return Encoding.Latin1.GetString(buffer, 0, await client.GetStream().ReadAsync(buffer, Patience));
    }

    // The clock goes on until it is closed: the server may accept a connection later than its client has one.
    private static async Task ClosesAsync(TcpClient client, string row, Action goOn)
    {
        var (closed, patience) = (ReadToEndAsync(client), Patience);
        while (!closed.IsCompleted)
        {
            Assert.False(patience.IsCancellationRequested, $"{row}: still open");
            goOn();
            await Task.WhenAny(closed, Task.Delay(20, patience));
        }
    }

    private static async Task ReadToEndAsync(TcpClient client)
    {
        try
        {
            await client.GetStream().CopyToAsync(Stream.Null);
        }
        catch (IOException)
        {
            // Reset, which closes it as well.
        }
    }
}
