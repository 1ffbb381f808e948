namespace Edge;

/// <summary>A gateway with so many routes.</summary>
/// <param name="Routes">How many.</param>
/// <param name="Runs">The measurements of it.</param>
internal sealed record RouteStep(int Routes, IReadOnlyList<LoadRun> Runs)
{
    /// <summary>Milliseconds within which half of the responses came, the median of the runs.</summary>
    public double P50 => Median.Of(Runs.Select(static run => run.P50));

    /// <summary>Microseconds of processor time a request, the median of the runs.</summary>
    public double Processor => Median.Of(Runs.Select(static run => run.Processor));
}

/// <summary>What more routes cost a request that is passed through: gateways that differ in nothing else, measured in turns.</summary>
internal static class RouteGrowth
{
    private const int Connections = 8;
    private const int Rounds = 5;
    private const int Seconds = 1;
    private static readonly int[] s_steps = [10, 1_000, 10_000];

    public static async Task<IReadOnlyList<RouteStep>> MeasureAsync(Stage stage)
    {
        var measured = new List<(Gateway Gateway, string Requests, List<LoadRun> Runs, RouteStep Step)>();
        try
        {
            foreach (var count in s_steps)
            {
                var gateway = await stage.StartGatewayAsync($"routes{count}", settings => Configurations.Routes(settings, count));
                var paths = Enumerable.Range(0, s_steps[^1]).Select(i => Configurations.PathOfRoute(i % count));
                var requests = stage.WriteRequests($"routes{count}", paths.Select(path => (path, stage.SomePassThrough.Token)));
                List<LoadRun> runs = [];
                measured.Add((gateway, requests, runs, new(count, runs)));
                await WarmUp.RunAsync(Wrk.RunAsync, gateway.Server, requests);
            }

            for (var round = 0; round < Rounds; round++)
                foreach (var (gateway, requests, runs, _) in measured) runs.Add(await Wrk.RunAsync(gateway.Server, requests, Seconds, Connections));
            return [.. measured.Select(static each => each.Step)];
        }
        finally
        {
            foreach (var (gateway, _, _, _) in measured) gateway.Dispose();
        }
    }
}
