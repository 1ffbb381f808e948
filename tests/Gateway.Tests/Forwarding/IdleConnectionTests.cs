using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>The gateway lets an idle connection go before the service does, and sends nothing twice that must not happen twice.</summary>
public sealed class IdleConnectionTests(IdleConnectionTests.Services platform) : IClassFixture<IdleConnectionTests.Services>
{
    [Fact]
    public async Task C5_an_idle_connection_is_closed_by_the_gateway_first()
    {
        Assert.Equal(200, (await platform.SendAsync("/default/1", platform.World.Token())).Status);

        await platform.Default.ClosedByGateway.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task C5_a_cluster_says_how_long_its_connections_lie_idle()
    {
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(200, (await platform.SendAsync("/never/1", platform.World.Token())).Status);
            Assert.Equal(200, (await platform.SendAsync("/long/1", platform.World.Token())).Status);
        }

        Assert.Equal((3, 1), (platform.Never.Connections, platform.Long.Connections));
    }

    [Fact]
    public async Task A_change_of_the_idle_time_takes_effect()
    {
        for (var i = 0; i < 2; i++) Assert.Equal(200, (await platform.SendAsync("/changed/1", platform.World.Token())).Status);
        Assert.Equal(1, platform.Changed.Connections);

        await platform.Gateway.ChangeAsync(static settings => settings.Set("ReverseProxy:Clusters:changed:Metadata", """{ "IdleTimeout": "00:00:00" }"""));

        for (var i = 0; i < 2; i++) Assert.Equal(200, (await platform.SendAsync("/changed/1", platform.World.Token())).Status);
        Assert.Equal(3, platform.Changed.Connections);
    }

    // A service may send a body after HEAD all the same, and late. The next request on the connection would get it as its response.
    [Fact]
    public async Task No_request_follows_HEAD_on_its_connection()
    {
        foreach (var method in (string[])["GET", "HEAD", "GET", "GET", "HEAD", "HEAD", "GET"])
            Assert.Equal(200, (await platform.SendAsync("/head/1", platform.World.Token(), method)).Status);

        // The four GET share one.
        Assert.Equal((7, 4), (platform.Head.Requests, platform.Head.Connections));
    }

    [Fact]
    public async Task Over_HTTP2_HEAD_shares_a_connection_as_its_streams_are_apart()
    {
        foreach (var method in (string[])["GET", "HEAD", "GET"])
            Assert.Equal(200, (await platform.SendAsync("/streams/1", platform.World.Token(), method)).Status);

        Assert.Equal(3, platform.StreamConnections.Count);
        Assert.Single(platform.StreamConnections.Distinct());
    }

    [Fact]
    public async Task Over_HTTP2_a_cluster_without_idle_connections_closes_them()
    {
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await platform.SendAsync("/single/1", platform.World.Token())).Status);

        Assert.Equal(3, platform.SingleConnections.Count);
        await Eventually.IsTrueAsync(() => platform.SingleConnections.All(platform.Closed.Contains));
    }

    [Theory]
    [InlineData("C5 POST without a body", "POST", false)]
    [InlineData("C5 POST with a body", "POST", true)]
    [InlineData("C5 PATCH without a body", "PATCH", false)]
    [InlineData("C5 PATCH with a body", "PATCH", true)]
    public async Task What_must_not_happen_twice_is_sent_once_on_a_connection_that_closes(string name, string method, bool hasBody)
    {
        var route = $"/closes-{method}-{hasBody}";
        var service = platform.Closes[route[1..]];
        Assert.Equal(200, (await platform.SendAsync($"{route}/first", platform.World.Token())).Status);

        var answer = await platform.SendAsync(
            $"{route}/second", platform.World.Token(), method, request => request.Content = hasBody ? new ByteArrayContent([1]) : null);

        Assert.Equal((name, 502, 2), (name, answer.Status, service.Requests));
    }

    public sealed class Services : PlatformFixture
    {
        internal KeptService Default { get; } = new();

        internal KeptService Never { get; } = new();

        internal KeptService Long { get; } = new();

        internal KeptService Head { get; } = new();

        internal KeptService Changed { get; } = new();

        internal ConcurrentQueue<string> StreamConnections { get; } = [];

        internal ConcurrentQueue<string> SingleConnections { get; } = [];

        internal ConcurrentQueue<string> Closed { get; } = [];

        private WrittenService Streams { get; set; } = null!;

        internal Dictionary<string, KeptService> Closes { get; } = [];

        protected override async ValueTask PrepareAsync() => Streams = await WrittenService.StartAsync(
            context =>
            {
                var connection = context.Connection.Id;
                (context.Request.Path.StartsWithSegments("/streams") ? StreamConnections : SingleConnections).Enqueue(connection);
                context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().ConnectionClosed.Register(() => Closed.Enqueue(connection));
                return Task.CompletedTask;
            },
            HttpProtocols.Http2);

        protected override void Change(JsonObject settings)
        {
            Add("head", Head, """{ "IdleTimeout": "00:10:00" }""");
            Add("changed", Changed, """{ "IdleTimeout": "00:10:00" }""");
            foreach (var (name, metadata) in new[] { ("streams", "{}"), ("single", """{ "IdleTimeout": "00:00:00" }""") })
                settings.Set($"ReverseProxy:Clusters:{name}", $$"""
                        { "HttpRequest": { "Version": "2", "VersionPolicy": "RequestVersionExact" }, "Metadata": {{metadata}},
                          "Destinations": { "a": { "Address": "{{Streams.Url}}" } } }
                        """)
                    .Route(name, $"/{name}/{{**rest}}", $$"""{ "ClusterId": "{{name}}" }""");
            Add("default", Default, "{}");
            Add("never", Never, """{ "IdleTimeout": "00:00:00" }""");
            Add("long", Long, """{ "IdleTimeout": "00:10:00", "Team": "devices" }""");
            foreach (var method in (string[])["POST", "PATCH"])
            {
                foreach (var hasBody in (bool[])[false, true])
                {
                    var name = $"closes-{method}-{hasBody}";
                    Add(name, Closes[name] = new KeptService(closesOnSecond: true), """{ "IdleTimeout": "00:10:00" }""");
                }
            }

            void Add(string name, KeptService service, string metadata) => settings
                .Set($"ReverseProxy:Clusters:{name}", $$"""{ "Metadata": {{metadata}}, "Destinations": { "a": { "Address": "{{service.Url}}" } } }""")
                .Route(name, $"/{name}/{{**rest}}", $$"""{ "ClusterId": "{{name}}" }""");
        }
    }

    /// <summary>Keeps connections open for ever; or closes one in place of a response to its second request.</summary>
    internal sealed class KeptService : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly bool _closesOnSecond;
        private int _connections;
        private int _requests;

        public KeptService(bool closesOnSecond = false)
        {
            _closesOnSecond = closesOnSecond;
            _listener.Start();
            _ = AcceptAsync();
        }

        public string Url => $"http://{_listener.LocalEndpoint}/";

        public int Connections => _connections;

        public int Requests => _requests;

        public Task ClosedByGateway => _closed.Task;

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync();
                Interlocked.Increment(ref _connections);
                _ = ServeAsync(client);
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            using (client)
            {
                await using var stream = client.GetStream();
                using var reader = new StreamReader(stream);
                for (var served = 0; await reader.ReadLineAsync() is { } line; served++)
                {
                    while (line is { Length: > 0 }) line = await reader.ReadLineAsync();
                    Interlocked.Increment(ref _requests);
                    if (_closesOnSecond && served == 1) return;
                    await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
                }

                _closed.TrySetResult();
            }
        }
    }
}
