using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>What SIGTERM begins: a delay in which all is served, then the end of what is in flight, and of the process.</summary>
public sealed class ShutdownTests(ITestOutputHelper output)
{
    private static CancellationToken Patience => new CancellationTokenSource(Eventually.Limit).Token;

    [Fact]
    public async Task It_is_not_ready_at_once_takes_requests_until_the_delay_is_over_and_finishes_those_in_flight()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world, delay: 4, timeout: 20);
        var token = world.Token("o-acme");
        var machine = await Machine.MeasureAsync(() => AcceptsAsync(world, gateway, token), output.WriteLine);
        var slow = world.Client.SendAsync(gateway.Url + "/organizations/o-acme/slow/8000", token);
        await world.Downstream.Requests.WaitForAsync(request => request.Target.EndsWith("/slow/8000", StringComparison.Ordinal), cancellationToken: Patience);

        var begun = Stopwatch.StartNew();
        gateway.Signal("TERM");
        await Eventually.IsTrueAsync(async () => await ReadyAsync(world, gateway) == 503);
        output.WriteLine($"not ready after {begun.Elapsed.TotalSeconds:F2} s");
        var during = await world.Client.SendAsync(gateway.Url + "/organizations/o-acme/devices", token);
        Assert.Equal(200, during.Status);
        Assert.True(during.Headers.ConnectionClose, "The connection was kept.");
        await Eventually.IsTrueAsync(async () => !await AcceptsAsync(world, gateway, token));
        output.WriteLine($"closed after {begun.Elapsed.TotalSeconds:F2} s");
        Assert.InRange(begun.Elapsed, TimeSpan.FromSeconds(4), machine.Within(TimeSpan.FromSeconds(7)));
        await Eventually.IsTrueAsync(async () =>
        {
            if (slow.IsCompleted) return true;
            Assert.Equal(503, await ReadyAsync(world, gateway));
            return false;
        });

        Assert.Equal(200, (await slow).Status);
        Assert.Equal(0, await gateway.WaitForExitAsync());
        output.WriteLine($"gone after {begun.Elapsed.TotalSeconds:F2} s");
    }

    [Fact]
    public async Task Streams_are_ended_within_the_timeout_and_the_process_with_them()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world, delay: 0, timeout: 4);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {world.Token("o-acme")}");
        await socket.ConnectAsync(new Uri(gateway.Url.Replace("http", "ws", StringComparison.Ordinal) + "/organizations/o-acme/socket"), Patience);
        using var request = new HttpRequestMessage(HttpMethod.Get, gateway.Url + "/organizations/o-acme/events");
        request.Headers.Authorization = new("Bearer", world.Token("o-acme"));
        using var response = await world.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Patience);

        var machine = await Machine.MeasureAsync(() => ReadyAsync(world, gateway), output.WriteLine);
        var begun = Stopwatch.StartNew();
        gateway.Signal("TERM");
        var events = response.Content.ReadAsStringAsync(Patience);
        await Assert.ThrowsAnyAsync<WebSocketException>(async () => await socket.ReceiveAsync(new byte[1], Patience));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => events);
        var ended = begun.Elapsed;

        Assert.Equal(0, await gateway.WaitForExitAsync());
        output.WriteLine($"streams ended after {ended.TotalSeconds:F2} s, the process after {begun.Elapsed.TotalSeconds:F2} s");
        Assert.InRange(ended, TimeSpan.FromSeconds(1), machine.Within(TimeSpan.FromSeconds(4)));
    }

    [Theory]
    [InlineData("paused")]
    [InlineData("gone")]
    [InlineData("paused before the gateway started")]
    [InlineData("gone before the gateway started")]
    public async Task It_ends_well_whatever_Redis_does(string redis)
    {
        await using var world = await World.StartAsync(pausableRedis: true);
        if (redis.EndsWith("started", StringComparison.Ordinal)) await BreakAsync();
        var gateway = await StartAsync(world, delay: 0, timeout: 10);
        if (!redis.EndsWith("started", StringComparison.Ordinal)) await BreakAsync();

        gateway.Signal("TERM");

        var code = await gateway.WaitForExitAsync();
        Assert.True(code == 0, $"{code}\n{gateway.Output}");

        async Task BreakAsync()
        {
            if (redis.StartsWith("paused", StringComparison.Ordinal)) world.Redis.Pause();
            else await world.Redis.KillAsync();
        }
    }

    private static async Task<GatewayProcess> StartAsync(World world, int delay, int timeout)
    {
        var gateway = await world.StartGatewayProcessAsync(settings =>
            settings["Shutdown"] = new JsonObject
            {
                ["Delay"] = TimeSpan.FromSeconds(delay).ToString(),
                ["Timeout"] = TimeSpan.FromSeconds(timeout).ToString()
            });
        Assert.Equal(200, await ReadyAsync(world, gateway));
        return gateway;
    }

    private static async Task<int> ReadyAsync(World world, GatewayProcess gateway) =>
        (await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready")).Status;

    private static async Task<bool> AcceptsAsync(World world, GatewayProcess gateway, string token)
    {
        try
        {
            return (await world.Client.SendAsync(gateway.Url + "/organizations/o-acme/devices", token)).Status == 200;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }
}
