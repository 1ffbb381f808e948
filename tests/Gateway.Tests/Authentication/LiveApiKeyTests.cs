using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>Keys change with the files: added, removed, expired, and a hundred thousand of them.</summary>
public sealed class LiveApiKeyTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Path = "/plain/x";

    private readonly string _key = ApiKeys.NewKey();
    private readonly string _other = ApiKeys.NewKey();
    private World _world = null!;

    public async ValueTask InitializeAsync() => _world = await World.StartAsync();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Keys_come_and_go_without_a_restart()
    {
        var gateway = await StartAsync(settings => settings.AddKey("one", _key));
        Assert.Equal((200, 401), (await StatusAsync(gateway, _key), await StatusAsync(gateway, _other)));

        await gateway.ChangeAsync(settings => settings.AddKey("two", _other));
        Assert.Equal((200, 200), (await StatusAsync(gateway, _key), await StatusAsync(gateway, _other)));

        await gateway.ChangeAsync(static settings => settings["Authentication"]!["ApiKeys"]!["Keys"]!.AsObject().Remove("one"));
        Assert.Equal((401, 200), (await StatusAsync(gateway, _key), await StatusAsync(gateway, _other)));

        await gateway.ChangeAsync(static settings => settings["Authentication"]!.AsObject().Remove("ApiKeys"));
        Assert.Equal((401, 401), (await StatusAsync(gateway, _key), await StatusAsync(gateway, _other)));
        Assert.False(gateway.IsConfigurationRefused);
    }

    [Fact]
    public async Task The_header_is_live_and_the_former_one_is_an_ordinary_header_again()
    {
        var gateway = await StartAsync(settings => settings.AddKey("one", _key));
        await gateway.ChangeAsync(static settings => settings.Set("Authentication:ApiKeys:Header", "\"X-Platform-Secret\""));

        Assert.Equal(401, await StatusAsync(gateway, _key));
        var passed = await gateway.SendAsync(Path, change: request =>
        {
            request.Headers.TryAddWithoutValidation("X-Platform-Secret", _key);
            request.Headers.TryAddWithoutValidation("X-Mine", "kept");
        });
        Assert.Equal(200, passed.Status);
        Assert.DoesNotContain(_key, passed.Body, StringComparison.Ordinal);
        Assert.Contains("X-Mine", passed.Body, StringComparison.OrdinalIgnoreCase);
    }

    [Theory]
    [InlineData("removed")]
    [InlineData("another hash")]
    [InlineData("expired")]
    [InlineData("another organization")]
    public async Task A_key_that_is_taken_back_ends_its_streams_and_no_others(string change)
    {
        var gateway = await StartAsync(settings => settings.AddKey("one", _key).AddKey("two", _other));
        using var ended = await ConnectAsync(gateway, _key);
        using var kept = await ConnectAsync(gateway, _other);

        // The gateway finds the change by itself.
        var settings = JsonNode.Parse(gateway.Folder.Read("appsettings.json"))!.AsObject();
        Change(settings["Authentication"]!["ApiKeys"]!["Keys"]!.AsObject());
        gateway.Folder.Write("appsettings.json", settings.ToJsonString());
        var begun = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<WebSocketException>(async () =>
        {
            while (true) await EchoAsync(ended);
        });
        output.WriteLine($"{change}: the stream ended {begun.Elapsed.TotalSeconds:F2} s after the file had changed (2 s are promised)");
        for (var round = 0; round < 3; round++) await EchoAsync(kept);
        Assert.Equal(change == "another organization" ? 200 : 401, await StatusAsync(gateway, _key));

        void Change(JsonObject keys)
        {
            if (change == "removed") keys.Remove("one");
            else if (change == "another hash") settings.AddKey("one", ApiKeys.NewKey());
            else if (change == "expired") keys["one"]!["Expires"] = "2020-01-01T00:00:00Z";
            else keys["one"]!["Organizations"] = new JsonArray("o-other");
        }
    }

    [Fact]
    public async Task A_stream_ends_when_its_key_expires()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis().Route("plain", "/plain/{**rest}")
            .AddKey("one", _key, $$"""{ "Expires": "{{time.GetUtcNow().AddMinutes(5):yyyy-MM-dd'T'HH:mm:ss'Z'}}" }"""));
        using var socket = await ConnectAsync(gateway, _key);

        time.Advance(TimeSpan.FromMinutes(5));

        await Assert.ThrowsAnyAsync<WebSocketException>(async () =>
        {
            while (true) await EchoAsync(socket);
        });
        Assert.Equal(401, await StatusAsync(gateway, _key));
    }

    private Task<RunningGateway> StartAsync(Action<JsonObject> change) =>
        _world.StartGatewayAsync(settings => change(settings.WithoutRedis().Route("plain", "/plain/{**rest}")));

    private static async Task<int> StatusAsync(RunningGateway gateway, string key) => (await gateway.SendAsync(Path, change: ApiKeys.With(key))).Status;

    private static async Task<ClientWebSocket> ConnectAsync(RunningGateway gateway, string key)
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader(ApiKeys.Header, key);
        using var patience = new CancellationTokenSource(Eventually.Limit);
        await socket.ConnectAsync(new Uri(gateway.Url.Replace("http://", "ws://", StringComparison.Ordinal) + "/plain/socket"), patience.Token);
        await EchoAsync(socket);
        return socket;
    }

    private static async Task EchoAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(Eventually.Limit);
        await socket.SendAsync(new byte[] { 1 }, WebSocketMessageType.Binary, endOfMessage: true, patience.Token);
        await socket.ReceiveAsync(new byte[1], patience.Token);
        await Task.Delay(20, patience.Token);
    }
}
