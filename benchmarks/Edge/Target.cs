namespace Edge;

/// <summary>One that is measured, and what was measured of it.</summary>
/// <param name="Name">What the command line calls it.</param>
/// <param name="What">What a reader calls it.</param>
/// <param name="Server">Its processes.</param>
/// <param name="Requests">The file with the requests that it is sent.</param>
/// <param name="Bytes">The length of each response.</param>
/// <param name="Load">How they are sent.</param>
/// <param name="During">Does something else while work goes on: the warm-up, or a round; null: nothing.</param>
internal sealed record Target(
    string Name, string What, Server Server, string Requests, int Bytes, Load Load, Func<Func<Task>, Task>? During = null)
{
    private readonly List<LoadRun> _rounds = [];

    /// <summary>Responses a second, a round each.</summary>
    public IReadOnlyList<double> Rates => [.. _rounds.Select(round => round.Rate)];

    /// <summary>The median of <see cref="Rates"/>.</summary>
    public double Rate => Median.Of(Rates);

    /// <summary>Milliseconds.</summary>
    public double P50 => Median.Of(_rounds.Select(round => round.P50));

    /// <summary>Milliseconds.</summary>
    public double P99 => Median.Of(_rounds.Select(round => round.P99));

    /// <summary>Microseconds of processor time a request, a round each.</summary>
    public IReadOnlyList<double> Processors => [.. _rounds.Select(round => round.Processor)];

    /// <summary>The median of <see cref="Processors"/>.</summary>
    public double Processor => Median.Of(Processors);

    public Task WarmUpAsync() => RunAsync(() => WarmUp.RunAsync(Load, Server, Requests));

    public Task MeasureAsync(int seconds) => RunAsync(async () => _rounds.Add(await Load(Server, Requests, seconds)));

    private Task RunAsync(Func<Task> work) => During?.Invoke(work) ?? work();
}
