namespace Edge;

/// <summary>What the gateway adds to YARP's p99, beside callers that each wait for new credentials from STS.</summary>
/// <param name="ColdVends">How many callers these are.</param>
/// <param name="Added">Milliseconds, a turn each.</param>
internal sealed record TailStep(int ColdVends, IReadOnlyList<double> Added);

/// <summary>The slowest of a hundred responses while the gateway is far from its limits: at half of its own peak.</summary>
/// <param name="Rate">Requests a second that the gateway had.</param>
/// <param name="Bare">YARP's p99 at that rate in milliseconds.</param>
/// <param name="Steps">The gateway's.</param>
internal sealed record Tail(double Rate, double Bare, IReadOnlyList<TailStep> Steps)
{
    private const int Turns = 5;
    private const int Seconds = 2;
    private static readonly int[] s_coldVends = [0, 1, 64];

    /// <param name="stage">Where.</param>
    /// <param name="yarp">YARP, warm.</param>
    /// <param name="pass">The gateway as shipped, whose peak is known.</param>
    public static async Task<Tail> MeasureAsync(Stage stage, Target yarp, Target pass)
    {
        // One more, whose calls to STS have the shipped budget.
        using var gateway = await stage.StartGatewayAsync("p99", Configurations.ShippedBudget);
        await WarmUp.RunAsync(Wrk.RunAsync, gateway.Server, pass.Requests);

        var rate = pass.Rate / 2;
        using var vends = new ColdVends(gateway, stage);
        List<double> bare = [], rates = [];
        var added = s_coldVends.ToDictionary(static atOnce => atOnce, static _ => new List<double>());
        for (var turn = 0; turn < Turns; turn++)
        {
            bare.Add((await Wrk.RunAtRateAsync(yarp.Server, yarp.Requests, Seconds, rate)).P99);
            foreach (var atOnce in s_coldVends)
            {
                await vends.WhileVendingAsync(atOnce, async () =>
                {
                    var run = await Wrk.RunAtRateAsync(gateway.Server, pass.Requests, Seconds, rate);
                    rates.Add(run.Rate);
                    added[atOnce].Add(run.P99 - bare[^1]);
                });
            }
        }

        return new(Median.Of(rates), Median.Of(bare), [.. added.Select(static step => new TailStep(step.Key, step.Value))]);
    }
}
