namespace Edge;

/// <summary>One that is measured, and what was measured of it.</summary>
/// <param name="Name">What the command line calls it.</param>
/// <param name="What">What a reader calls it.</param>
/// <param name="Server">Its processes.</param>
/// <param name="Requests">The file with the requests that it is sent.</param>
internal sealed record Target(string Name, string What, Server Server, string Requests)
{
    private readonly List<(WrkRun Run, double Processor)> _rounds = [];

    public double Rate => Median(_rounds.Select(round => round.Run.Rate));

    public double SlowestRate => _rounds.Min(round => round.Run.Rate);

    public double FastestRate => _rounds.Max(round => round.Run.Rate);

    /// <summary>Milliseconds.</summary>
    public double P50 => Median(_rounds.Select(round => round.Run.P50));

    /// <summary>Milliseconds.</summary>
    public double P99 => Median(_rounds.Select(round => round.Run.P99));

    /// <summary>Microseconds of processor time a request.</summary>
    public double Processor => Median(_rounds.Select(round => round.Processor));

    public async Task WarmUpAsync(int seconds) => await Wrk.RunAsync(Server.Url, Requests, seconds);

    public async Task MeasureAsync(int seconds)
    {
        var before = Server.Processor;
        var run = await Wrk.RunAsync(Server.Url, Requests, seconds);
        _rounds.Add((run, (Server.Processor - before).TotalMicroseconds / run.Requests));
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
