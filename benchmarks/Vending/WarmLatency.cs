using System.Text.Json.Nodes;
using Sandbox;
using Testing;

namespace Vending;

/// <summary>What a caller notices of a slow STS while what is cached is renewed behind it: nothing, if vending keeps its word.</summary>
internal static class WarmLatency
{
    private const int CallersAtOnce = 8;
    private static readonly TimeSpan s_warmup = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_measured = TimeSpan.FromSeconds(4);
    private static readonly string[] s_organizations = [.. Enumerable.Range(0, 16).Select(i => $"o-warm{i}")];

    public static async Task MeasureAsync(Figures figures)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var calm = await StartAsync(world, "00:30:00");
        var renewing = await StartAsync(world, "00:00:03");
        world.Aws.Inject(AwsFault.Delay(TimeSpan.FromSeconds(2)), "AssumeRole");
        world.Aws.Calls.Clear();

        // In turns, so that whatever else the machine does falls on both alike.
        List<double> without = [], during = [];
        for (var turn = 0; turn < 2; turn++)
        {
            without.AddRange(await RunAsync(world, calm));
            during.AddRange(await RunAsync(world, renewing));
        }

        Latencies calmly = new(without), beside = new(during);
        figures.Add($"warm, no renewal, {CallersAtOnce} callers", $"{calmly}");
        figures.Add(
            $"warm, while {s_organizations.Length} organizations are renewed and STS takes 2 s a call",
            $"{beside}; {world.Aws.Count("AssumeRole")} AssumeRole");
        figures.Add("what a renewal adds to the p99 (goal: at most 10 ms)", $"{beside.P99 - calmly.P99:F2} ms");
    }

    private static async Task<string> StartAsync(World world, string refreshAfter)
    {
        var gateway = await world.StartGatewayProcessAsync(settings =>
        {
            Callers.Quiet(settings);
            settings["IotCredentials"]!["Profiles"]!["default"]!["RefreshAfter"] = JsonValue.Create(refreshAfter);
        });
        await Callers.LoopAsync(world, gateway.Url, s_organizations, CallersAtOnce, s_warmup);
        return gateway.Url;
    }

    private static async Task<IEnumerable<double>> RunAsync(World world, string gateway)
    {
        // Until the other gateway's last renewals are over, and this one's are in their stride.
        await Callers.LoopAsync(world, gateway, s_organizations, CallersAtOnce, TimeSpan.FromSeconds(3));
        return (await Callers.LoopAsync(world, gateway, s_organizations, CallersAtOnce, s_measured)).All;
    }
}
