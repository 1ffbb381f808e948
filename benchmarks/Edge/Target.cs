namespace Edge;

/// <summary>One that is measured, and what was measured of it.</summary>
/// <param name="Name">What the command line calls it.</param>
/// <param name="What">What a reader calls it.</param>
/// <param name="Server">Its processes.</param>
/// <param name="Requests">The file with the requests that it is sent.</param>
internal sealed record Target(string Name, string What, Server Server, string Requests)
{
    private readonly List<WrkRun> _rounds = [];

    /// <summary>Answers a second, a round each.</summary>
    public IReadOnlyList<double> Rates => [.. _rounds.Select(round => round.Rate)];

    /// <summary>The median of <see cref="Rates"/>.</summary>
    public double Rate => Median.Of(Rates);

    /// <summary>Milliseconds.</summary>
    public double P50 => Median.Of(_rounds.Select(round => round.P50));

    /// <summary>Milliseconds.</summary>
    public double P99 => Median.Of(_rounds.Select(round => round.P99));

    /// <summary>Microseconds of processor time a request.</summary>
    public double Processor => Median.Of(_rounds.Select(round => round.Processor));

    public Task WarmUpAsync() => Wrk.WarmUpAsync(Server, Requests);

    public async Task MeasureAsync(int seconds) => _rounds.Add(await Wrk.RunAsync(Server, Requests, seconds));
}
