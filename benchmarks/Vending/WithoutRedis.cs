using System.Diagnostics;
using Testing;

namespace Vending;

/// <summary>What a caller waits for when Redis is gone, and when it is there but says nothing.</summary>
internal static class WithoutRedis
{
    private const int CallersAtOnce = 8;
    private const int ColdWarmups = 20;
    private static readonly TimeSpan s_measured = TimeSpan.FromSeconds(3);
    private static readonly string[] s_warm = [.. Enumerable.Range(0, 16).Select(i => $"o-warm{i}")];

    public static async Task MeasureAsync(Figures figures)
    {
        await MeasureAsync(figures, "with Redis", _ => Task.CompletedTask);
        await MeasureAsync(figures, "Redis killed", redis => redis.KillAsync());
        await MeasureAsync(figures, "Redis paused", redis =>
        {
            redis.Pause();
            return Task.CompletedTask;
        });
    }

    // Each in a world of its own: what one took from Redis, the next would find left alone.
    private static async Task MeasureAsync(Figures figures, string when, Func<RedisServer, Task> harm)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayProcessAsync(Callers.Quiet);
        await Callers.LoopAsync(world, gateway.Url, s_warm, CallersAtOnce, s_measured);
        for (var i = 0; i < ColdWarmups; i++) await Callers.AskAsync(world, gateway.Url, $"o-cold{i}", world.Token($"o-cold{i}"));

        await harm(world.Redis);
        var first = await AskOnceAsync(world, gateway, "o-first");
        var second = await AskOnceAsync(world, gateway, "o-second");
        figures.Add($"{when}: first response of a cold organization, and of the next one", $"{first}, {second}");
        figures.Add($"{when}: warm, {CallersAtOnce} callers", $"{await Callers.LoopAsync(world, gateway.Url, s_warm, CallersAtOnce, s_measured)}");
    }

    // A 503 is a figure too, here.
    private static async Task<string> AskOnceAsync(World world, GatewayProcess gateway, string organization)
    {
        var begun = Stopwatch.GetTimestamp();
        var response = await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), world.Token(organization));
        return $"{response.Status} in {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:F0} ms";
    }
}
