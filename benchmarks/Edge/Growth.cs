using System.Diagnostics;
using System.Text.Json.Nodes;
using Testing;

namespace Edge;

/// <summary>A gateway that came to know so many organizations.</summary>
/// <param name="Organizations">How many.</param>
/// <param name="Filled">How many a second were new to it and to Redis, since the step before.</param>
/// <param name="Warm">Of what was asked before.</param>
/// <param name="Heap">Bytes that it holds on to.</param>
/// <param name="Memory">Bytes that are resident.</param>
internal sealed record GrowthStep(int Organizations, double Filled, LoadRun Warm, double Heap, double Memory);

/// <summary>What more organizations cost one gateway, in time and memory, within its bound and beyond.</summary>
internal static class Growth
{
    private const int InOneToken = 100;
    private const int MostAsked = 10_000;
    private const int Connections = 8;
    private const int Seconds = 2;
    private const int Bound = 1_000;
    private const int Chunk = 5_000;
    private static readonly int[] s_steps = [10, 1_000, 10_000, 100_000];

    /// <param name="stage">Where.</param>
    /// <param name="isLate">Whether the last step has to do with the organizations that it has.</param>
    /// <returns>The steps, and how many bytes each organization adds beyond <c>Cache:MaxEntries</c>.</returns>
    public static async Task<(GrowthStep[] Steps, double BeyondBound)> MeasureAsync(Stage stage, Func<bool> isLate)
    {
        var organizations = Enumerable.Range(0, s_steps[^1]).Select(i => $"o-grown{i}").ToArray();
        return (await GrowAsync(stage, [.. stage.CallersOf(organizations, InOneToken)], isLate), await OutgrowAsync(stage, organizations[..(10 * Bound)]));
    }

    private static async Task<GrowthStep[]> GrowAsync(Stage stage, (string Organization, string Token)[] callers, Func<bool> isLate)
    {
        using var gateway = await stage.StartGatewayAsync("growth", Configurations.Quiet);
        var heap = new Heap(gateway, stage.World.Client);
        var steps = new List<GrowthStep>();
        var known = 0;
        foreach (var step in s_steps)
        {
            var (before, begun) = (known, Stopwatch.GetTimestamp());
            while (known < step && (known < s_steps[^2] || !isLate()))
            {
                var next = Math.Min(step, known + Chunk);
                await stage.AskForAllAsync(gateway, callers[known..next]);
                known = next;
            }

            var (size, filled) = (known, (known - before) / Stopwatch.GetElapsedTime(begun).TotalSeconds);
            if (size == before) break;

            var every = Math.Max(1, size / MostAsked);
            var requests = stage.WriteRequests(
                $"growth{size}",
                callers[..size].Where((_, i) => i % every == 0).Select(caller => (Requests.CredentialsPath(caller.Organization), caller.Token)));
            if (steps.Count == 0) await WarmUp.RunAsync(Wrk.RunAsync, gateway.Server, requests);
            var run = await Wrk.RunAsync(gateway.Server, requests, Seconds, Connections);
            steps.Add(new(size, filled, run, await heap.MeasureAsync(), gateway.Server.Memory));
        }

        return [.. steps];
    }

    // Tokens are remembered too, and so they are few, and all known before what is compared.
    private static async Task<double> OutgrowAsync(Stage stage, string[] organizations)
    {
        using var gateway = await stage.StartGatewayAsync("bound", settings =>
        {
            Configurations.Quiet(settings);
            settings["IotCredentials"]!["Cache"]!["MaxEntries"] = JsonValue.Create(Bound);
        });
        var heap = new Heap(gateway, stage.World.Client);
        var ofEveryToken = stage.CallersOf(organizations, Bound).Index().ToLookup(caller => caller.Index % Bound < Bound / 5, caller => caller.Item);
        await stage.AskForAllAsync(gateway, ofEveryToken[true]);
        var full = await heap.MeasureAsync();
        await stage.AskForAllAsync(gateway, ofEveryToken[false]);
        return (await heap.MeasureAsync() - full) / ofEveryToken[false].Count();
    }
}
