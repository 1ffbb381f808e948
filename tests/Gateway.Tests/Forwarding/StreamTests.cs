using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Gateway.Forwarding.Connections;
using Gateway.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>Streams pass as they come, and end with the token that opened them.</summary>
public sealed class StreamTests(StreamTests.Services platform, ITestOutputHelper output) : IClassFixture<StreamTests.Services>, IAsyncLifetime
{
    private static CancellationToken Patience => new CancellationTokenSource(Eventually.Limit).Token;

    /// <summary>Opens streams of both kinds, so that none that a test times is the first.</summary>
    public async ValueTask InitializeAsync()
    {
        using var socket = await ConnectAsync(TokenOf(600));
        Assert.Equal([0], await EchoAsync(socket, [0]));
        using var response = await GetAsync("/plain/first/events", TokenOf(600));
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 0", await events.ReadLineAsync(Patience));
    }

    public ValueTask DisposeAsync() => default;

    private string TokenOf(double seconds) =>
        platform.World.Issuer.Issue(new TokenRequest { Organizations = new[] { "o-acme" }, Expires = TimeSpan.FromSeconds(seconds) });

    [Fact]
    public async Task A_WebSocket_passes_both_ways_and_closes_as_its_ends_say()
    {
        using var socket = await ConnectAsync(TokenOf(60));

        Assert.Equal([1, 2, 3], await EchoAsync(socket, [1, 2, 3]));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Patience);

        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task A_WebSocket_whose_token_expires_in_3_s_is_ended_by_second_5()
    {
        var begun = Stopwatch.StartNew();
        using var socket = await ConnectAsync(TokenOf(3));
        Assert.Equal([1], await EchoAsync(socket, [1]));

        await Assert.ThrowsAnyAsync<WebSocketException>(async () =>
        {
            while (true) await EchoAsync(socket, [2]);
        });

        await EndedAsync(begun);
    }

    [Fact]
    public async Task Server_sent_events_pass_as_they_come_and_end_by_second_5_when_the_token_expires_in_3_s()
    {
        var begun = Stopwatch.StartNew();
        using var response = await GetAsync("/plain/stream/events", TokenOf(3));
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 0", await events.ReadLineAsync(Patience));
        var first = begun.Elapsed;

        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            while (await events.ReadLineAsync(Patience) is not null) { }
        });

        await EndedAsync(begun, first);
        await platform.World.Downstream.Abandoned.WaitForAsync(received => received.Target == "/plain/stream/events");
    }

    [Theory]
    [InlineData("/mute/1")]
    [InlineData("/careless/1")]
    public async Task Events_begin_and_end_as_well_when_the_service_sends_none(string path)
    {
        var begun = Stopwatch.StartNew();
        using var response = await GetAsync(path, TokenOf(3));
        var head = begun.Elapsed;

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => response.Content.ReadAsStringAsync(Patience));

        await EndedAsync(begun, head);
    }

    [Fact]
    public async Task Events_end_as_well_when_the_client_reads_none()
    {
        var begun = Stopwatch.StartNew();
        using var response = await GetAsync("/plain/unread/events", TokenOf(3));

        await platform.World.Downstream.Abandoned.WaitForAsync(received => received.Target == "/plain/unread/events", cancellationToken: Patience);

        await EndedAsync(begun);
    }

    [Fact]
    public async Task An_ordinary_request_outlives_its_token()
    {
        var answer = await platform.SendAsync("/plain/slow/3000", TokenOf(1));

        Assert.Equal(200, answer.Status);
    }

    [Fact]
    public async Task A_routes_timeout_is_for_the_beginning_of_a_stream()
    {
        using var response = await GetAsync("/timed/events", TokenOf(60));
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync());

        // An event of two lines comes every 50 ms.
        for (var i = 0; i < 200; i++) Assert.NotNull(await events.ReadLineAsync(Patience));
    }

    [Fact]
    public async Task A_token_of_many_years_opens_streams_too()
    {
        using var socket = await ConnectAsync(TokenOf(TimeSpan.FromDays(10_000).TotalSeconds));

        Assert.Equal([1], await EchoAsync(socket, [1]));
    }

    [Fact]
    public async Task A_gRPC_call_passes_message_by_message_and_its_trailers_behind_it()
    {
        await using var grpc = await Grpc.StartAsync();
        var messages = new PushedContent("application/grpc");
        using var response = await grpc.CallAsync("/grpc/echo", messages, grpc.World.Token("o-acme"));
        Assert.True(response.IsSuccessStatusCode, $"{response.StatusCode}");
        await using var answers = await response.Content.ReadAsStreamAsync();

        foreach (var message in new byte[] { 1, 2, 3 })
        {
            messages.Push(message);
            Assert.Equal(message, (await ReadAsync(answers))[0]);
        }

        messages.End();
        Assert.Empty(await ReadAsync(answers));
        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Equal(["0"], response.TrailingHeaders.GetValues("grpc-status"));
    }

    [Theory]
    [InlineData("application/grpc", true)]
    [InlineData("application/grpc", false)]
    [InlineData("application/grpc+proto", true)]
    [InlineData("Application/GRPC-web", true)]
    [InlineData("application/json", true)]
    [InlineData("application/json", false)]
    public async Task A_body_has_its_routes_limit_whatever_it_calls_itself(string contentType, bool hasLength)
    {
        await using var grpc = await Grpc.StartAsync();
        using var small = Body(1_000);
        using var large = Body(100_000);

        using var taken = await grpc.CallAsync("/small/collect", small, grpc.World.Token("o-acme"));
        using var refused = await grpc.CallAsync("/small/collect", large, grpc.World.Token("o-acme"));

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.RequestEntityTooLarge), (taken.StatusCode, refused.StatusCode));

        HttpContent Body(int length)
        {
            HttpContent body = hasLength
                ? new ByteArrayContent(new byte[length])
                : new StreamContent(PipeReader.Create(new ReadOnlySequence<byte>(new byte[length])).AsStream());
            body.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
            return body;
        }
    }

    [Theory]
    [InlineData("/grpc/echo")]
    [InlineData("/grpc/collect")]
    public async Task A_gRPC_call_ends_with_its_token(string path)
    {
        await using var grpc = await Grpc.StartAsync();
        var begun = Stopwatch.StartNew();
        var messages = new PushedContent("application/grpc");
        messages.Push(1);

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var response = await grpc.CallAsync(path, messages, grpc.World.Issuer.Issue(new TokenRequest { Expires = TimeSpan.FromSeconds(3) }));
            await response.Content.ReadAsByteArrayAsync(Patience);
        });

        await EndedAsync(begun);
        messages.End();
    }

    [Theory]
    [InlineData("/grpc/collect", "application/grpc")]
    [InlineData("/grpc/collect", "application/grpc+proto")]
    [InlineData("/grpc/collect", "Application/GRPC-web")]
    [InlineData("/grpc/echo", "application/grpc")]
    public async Task A_gRPC_call_ends_halfway_through_the_drain_whether_or_not_its_service_has_responded(string path, string contentType)
    {
        await using var grpc = await Grpc.StartAsync();
        var messages = new PushedContent(contentType);
        messages.Push(1);
        var calling = grpc.CallAsync(path, messages, grpc.World.Token("o-acme"));
        await Eventually.IsTrueAsync(() => grpc.Gateway.Services.GetRequiredService<RequestsInFlight>().Connections == 1);

        var begun = Stopwatch.StartNew();
        await grpc.Gateway.Services.GetRequiredService<Drain>().StoppingAsync(CancellationToken.None);

        var ended = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var response = await calling;
            await response.Content.ReadAsByteArrayAsync(Patience);
        });
        Assert.True(begun.Elapsed < TimeSpan.FromSeconds(30), $"{begun.Elapsed}: {ended}");
        messages.End();
    }

    [Fact]
    public async Task A_WebSocket_over_HTTP_2_is_to_a_service_what_it_is_over_HTTP_1_and_ends_with_its_token()
    {
        await using var grpc = await Grpc.StartAsync();
        var begun = Stopwatch.StartNew();
        using var socket = await grpc.ConnectAsync("/upgrades/socket", grpc.World.Issuer.Issue(new TokenRequest { Expires = TimeSpan.FromSeconds(3) }));
        Assert.Equal([1], await EchoAsync(socket, [1]));
        var refusal = await Assert.ThrowsAsync<WebSocketException>(() => grpc.ConnectAsync("/reports/socket", grpc.World.Token("o-acme")));
        Assert.Contains("'405'", refusal.Message, StringComparison.Ordinal);

        await Assert.ThrowsAnyAsync<WebSocketException>(async () =>
        {
            while (true) await EchoAsync(socket, [2]);
        });

        await EndedAsync(begun);
    }

    // A token of 3 s ends 2 to 3 s after it was issued, by its whole seconds, and its stream within 2 s.
    // What was received of it before that was not kept back until then.
    private async Task EndedAsync(Stopwatch begun, TimeSpan received = default)
    {
        var elapsed = begun.Elapsed;
        output.WriteLine($"ended after {elapsed.TotalSeconds:F2} s");
        var machine = await Machine.MeasureAsync(() => platform.SendAsync("/plain/stream", platform.World.Token()), output.WriteLine);
        Assert.InRange(elapsed, TimeSpan.FromSeconds(1.9), machine.Within(TimeSpan.FromSeconds(5)));
        Assert.InRange(received, TimeSpan.Zero, machine.Within(TimeSpan.FromSeconds(1.8)));
    }

    private async Task<HttpResponseMessage> GetAsync(string path, string token)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, platform.Gateway.Url + path);
        request.Headers.Authorization = new("Bearer", token);
        return await platform.World.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience);
    }

    private async Task<ClientWebSocket> ConnectAsync(string token)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
        await socket.ConnectAsync(new Uri(platform.Gateway.Url.Replace("http", "ws", StringComparison.Ordinal) + "/plain/socket"), Patience);
        return socket;
    }

    private static async Task<byte[]> EchoAsync(ClientWebSocket socket, byte[] message)
    {
        await socket.SendAsync(message, WebSocketMessageType.Binary, true, Patience);
        var buffer = new byte[16];
        var received = await socket.ReceiveAsync(buffer, Patience);
        return buffer[..received.Count];
    }

    private static async Task<byte[]> ReadAsync(Stream stream)
    {
        var buffer = new byte[16];
        return buffer[..await stream.ReadAsync(buffer, Patience)];
    }

    public sealed class Services : PlatformFixture
    {
        private readonly ScriptedService _mute = new("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", stays: true);
        private readonly ScriptedService _careless = new(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream;\r\nTransfer-Encoding: chunked\r\n\r\n", stays: true);

        protected override void Change(JsonObject settings) => settings
            .Set("ReverseProxy:Clusters:mute", $$"""{ "Destinations": { "a": { "Address": "{{_mute.Url}}" } } }""")
            .Route("mute", "/mute/{**rest}", """{ "ClusterId": "mute" }""")
            .Set("ReverseProxy:Clusters:careless", $$"""{ "Destinations": { "a": { "Address": "{{_careless.Url}}" } } }""")
            .Route("careless", "/careless/{**rest}", """{ "ClusterId": "careless" }""")
            .Route("timed", "/timed/{**rest}", """{ "Timeout": "00:00:03" }""");
    }

    /// <summary>A gateway that speaks HTTP/2 to both sides, as it takes TLS or a listener of its own to do.</summary>
    private sealed class Grpc(World world, GrpcService service, RunningGateway gateway) : IAsyncDisposable
    {
        public World World => world;

        public RunningGateway Gateway => gateway;

        public static async Task<Grpc> StartAsync()
        {
            var (world, service) = (await World.StartAsync(), await GrpcService.StartAsync());
            var gateway = await world.StartGatewayAsync(settings =>
            {
                settings.Remove("Urls");
                settings.WithoutRedis()
                    .Set("Shutdown", """{ "Delay": "00:00:00", "Timeout": "00:00:01" }""")
                    .Set("Kestrel:Endpoints:Grpc", """{ "Url": "http://127.0.0.1:0", "Protocols": "Http2" }""")
                    .Set("ReverseProxy:Clusters:grpc", $$"""
                        { "Destinations": { "a": { "Address": "{{service.Url}}" } }, "HttpRequest": { "Version": "2", "VersionPolicy": "RequestVersionExact" } }
                        """)
                    .Route("grpc", "/grpc/{**rest}", """{ "ClusterId": "grpc" }""")
                    .Route("small", "/small/{**rest}", """{ "ClusterId": "grpc", "MaxRequestBodySize": 2000 }""")
                    .Route("upgrades", "/upgrades/{**rest}", """{ "Match": { "Methods": ["GET"] } }""")
                    .Route("reports", "/reports/{**rest}", """{ "Match": { "Methods": ["POST"] } }""");
            });
            return new(world, service, gateway);
        }

        public Task<HttpResponseMessage> CallAsync(string path, HttpContent messages, string token)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, gateway.Url + path)
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = messages,
            };
            request.Headers.Authorization = new("Bearer", token);
            request.Headers.TE.Add(new("trailers"));
            return world.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience);
        }

        public async Task<ClientWebSocket> ConnectAsync(string path, string token)
        {
            var socket = new ClientWebSocket();
            socket.Options.HttpVersion = HttpVersion.Version20;
            socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            socket.Options.SetRequestHeader("Authorization", $"Bearer {token}");
            await socket.ConnectAsync(
                new Uri(gateway.Url.Replace("http", "ws", StringComparison.Ordinal) + path), new HttpMessageInvoker(new SocketsHttpHandler()), Patience);
            return socket;
        }

        public async ValueTask DisposeAsync()
        {
            await world.DisposeAsync();
            await service.DisposeAsync();
        }
    }
}
