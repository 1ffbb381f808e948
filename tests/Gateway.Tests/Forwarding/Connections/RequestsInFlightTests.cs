using System.Net;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Gateway.Forwarding.Connections;
using Gateway.Networking;
using Gateway.Tests.Edge;
using Gateway.Tests.Logs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding.Connections;

/// <summary>S17: as many requests are in flight as the file descriptors of the process allow, each caller has a share, and each is released once.</summary>
public sealed class RequestsInFlightTests(RequestsInFlightTests.Few platform) : IClassFixture<RequestsInFlightTests.Few>
{
    private const int Most = 80;

    private static readonly FileDescriptors s_few = new(480);

    private static CancellationToken Patience => new CancellationTokenSource(Eventually.Limit).Token;

    [Theory]
    [InlineData(1_024, null, 340, 172)]
    [InlineData(4_096, 10_000L, 2_048, 1_024)]
    [InlineData(65_536, 10_000L, 10_000, 54_512)]
    [InlineData(65_536, 60_000L, 43_008, 21_504)]
    [InlineData(65_536, 1_000L, 1_000, 63_512)]
    public void S17_connections_and_requests_share_what_is_left_of_the_limit(long limit, long? configured, long connections, long requests)
    {
        var descriptors = new FileDescriptors(limit);

        Assert.Equal((connections, requests), (descriptors.Connections(configured), descriptors.Requests(configured)));
        Assert.InRange(limit - connections - requests - (3 * descriptors.Spare), 300, 1_000);
    }

    [Fact]
    public void S17_the_limit_is_the_processs_own() =>
        Assert.InRange(FileDescriptors.OfProcess().Limit, 256, OperatingSystem.IsLinux() ? int.MaxValue : long.MaxValue);

    [Fact]
    public async Task S17_a_caller_has_a_share_of_what_is_free_and_together_they_have_no_more_than_all()
    {
        var requests = new RequestsInFlight(s_few, Options.Create(new KestrelServerOptions()));
        var end = new TaskCompletionSource();
        List<Task> held = [];
        List<int> byCaller = [], refusals = [];

        for (var caller = 0; caller < 2 * Most; caller++)
        {
            var before = held.Count;
            while (true)
            {
                var context = new DefaultHttpContext();
                context.Connection.RemoteIpAddress = new IPAddress([10, 0, 0, (byte)caller]);
                var request = requests.InvokeAsync(context, _ => end.Task);
                if (request.IsCompleted)
                {
                    refusals.Add(context.Response.StatusCode);
                    Assert.NotEmpty(context.Response.Headers.RetryAfter.ToString());
                    break;
                }

                held.Add(request);
            }

            byCaller.Add(held.Count - before);
        }

        Assert.Equal(Most, held.Count);
        Assert.Equal(24, byCaller[0]);
        Assert.All(byCaller[..15], static count => Assert.NotEqual(0, count));
        Assert.Equal((429, 503), (refusals[0], refusals[^1]));
        Assert.Equal(Most, requests.Count);
        end.SetResult();
        await Task.WhenAll(held);
        Assert.Equal(0, requests.Count);
    }

    [Theory]
    [InlineData("a response")]
    [InlineData("a client that leaves")]
    [InlineData("a client that leaves over HTTP/2")]
    [InlineData("a service that aborts")]
    [InlineData("a service that is down")]
    [InlineData("a WebSocket that is closed")]
    [InlineData("a WebSocket that is aborted")]
    [InlineData("a WebSocket over HTTP/2")]
    [InlineData("an upgrade that the service refuses")]
    public async Task S17_each_is_released_however_it_ends(string ending)
    {
        var requests = platform.Gateway.Services.GetRequiredService<RequestsInFlight>();

        for (var i = 0; i < Most; i++) await ExchangeAsync(ending);

        await Eventually.IsTrueAsync(() => requests.Count == 0, () => $"{requests.Count} are held");
        await Eventually.IsTrueAsync(() => requests.Connections == 0, () => $"{requests.Connections} connections are open");
        Assert.Equal(200, (await platform.SendAsync("/plain/1", platform.World.Token())).Status);
    }

    [Fact]
    public async Task S17_a_gateway_without_room_for_another_connection_says_so_and_blames_no_service()
    {
        // 12 requests, and 16 connections to services.
        var few = new FileDescriptors(64);
        var most = (int)(few.Requests(configuredConnections: 10_000) + few.Spare);
        var gateway = await platform.World.StartGatewayAsync(
            settings =>
            {
                settings.WithoutRedis();
                for (var i = 0; i <= most; i++)
                {
                    settings.Set($"ReverseProxy:Clusters:c{i}", $$"""
                        { "Metadata": { "IdleTimeout": "00:05:00" }, "Destinations": { "a": { "Address": "{{platform.World.Downstream.Url}}" } } }
                        """);
                    settings.Route($"r{i}", $"/r{i}/{{**rest}}", $$"""{ "ClusterId": "c{{i}}" }""");
                }
            },
            services => services.AddSingleton(few));
        var token = platform.World.Token();

        // Each cluster keeps its connection for the next request.
        for (var i = 0; i < most; i++) Assert.Equal(200, (await gateway.SendAsync($"/r{i}/1", token)).Status);
        var refused = await gateway.SendAsync($"/r{most}/1", token);

        Assert.Equal(503, refused.Status);
        Assert.NotEmpty(refused.Headers.GetValues("Retry-After"));
        Assert.Equal("in_flight", (await AccessLines.OfPathAsync(gateway, $"/r{most}/1")).GetProperty("reason").GetString());
        Assert.Equal(0, gateway.Log.Count(LogLevel.Warning, "The destination"));
        Assert.Equal(200, (await gateway.SendAsync("/r0/1", token)).Status);
    }

    private Task ExchangeAsync(string ending) => ending switch
    {
        "a response" => SendAsync("/plain/1", 200),
        "a client that leaves" => LeaveAsync(HttpVersion.Version11, platform.Http1),
        "a client that leaves over HTTP/2" => LeaveAsync(HttpVersion.Version20, platform.Http2),
        "a service that aborts" => SendAsync("/plain/abort", 502),
        "a service that is down" => SendAsync("/down/1", 502),
        "a WebSocket that is closed" => ConnectAsync(HttpVersion.Version11, platform.Http1, closes: true),
        "a WebSocket that is aborted" => ConnectAsync(HttpVersion.Version11, platform.Http1, closes: false),
        "a WebSocket over HTTP/2" => ConnectAsync(HttpVersion.Version20, platform.Http2, closes: false),
        _ => Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(HttpVersion.Version11, platform.Http1, closes: true, "/plain/status/404")),
    };

    private async Task SendAsync(string path, int status) => Assert.Equal(status, (await platform.SendAsync(path, platform.World.Token())).Status);

    private async Task LeaveAsync(Version version, string url)
    {
        using var leaving = new CancellationTokenSource();
        var path = $"/plain/{Guid.NewGuid():N}/slow/60000";
        using var request = new HttpRequestMessage(HttpMethod.Get, url + path) { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Headers.Authorization = new("Bearer", platform.World.Token());
        var sending = platform.World.Client.SendAsync(request, leaving.Token);
        await platform.World.Downstream.Requests.WaitForAsync(received => received.Target == path);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    private async Task ConnectAsync(Version version, string url, bool closes, string path = "/plain/socket")
    {
        using var socket = new ClientWebSocket();
        using var handler = new SocketsHttpHandler();
        using var invoker = new HttpMessageInvoker(handler);
        socket.Options.SetRequestHeader("Authorization", $"Bearer {platform.World.Token()}");
        (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (version, HttpVersionPolicy.RequestVersionExact);
        await socket.ConnectAsync(new Uri(url.Replace("http", "ws", StringComparison.Ordinal) + path), invoker, Patience);
        if (closes) await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Patience);
        else socket.Abort();
    }

    public sealed class Few : BothProtocols
    {
        protected override void Change(JsonObject settings)
        {
            base.Change(settings);
            settings.Set("ReverseProxy:Clusters:organizations:Metadata:IdleTimeout", "\"00:00:02\"")
                .Set("ReverseProxy:Clusters:down", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{FreePort.Find()}}/" } } }""")
                .Route("down", "/down/{**rest}", """{ "ClusterId": "down" }""");
        }

        protected override void Replace(IServiceCollection services) => services.AddSingleton(s_few);
    }
}
