namespace Edge;

/// <summary>.NET compiles what is hot in the first seconds under load: <see cref="Warmth"/>. What is measured has most of that behind it.</summary>
internal static class WarmUp
{
    /// <summary>The requests that a warm-up takes at least, unless it would take longer than <see cref="Longest"/>.</summary>
    public const int FewestResponses = 40_000;

    /// <summary>Seconds.</summary>
    public const int Longest = MostRuns * Seconds;

    private const int Seconds = 2;
    private const int FewestRuns = 2;
    private const int MostRuns = 4;
    private const double Steady = 0.95;

    /// <summary>Asks until a request takes the server no less processor time than before.</summary>
    public static async Task RunAsync(Load load, Server server, string requests)
    {
        var before = double.MaxValue;
        var responses = 0L;
        for (var number = 1; number <= MostRuns; number++)
        {
            var run = await load(server, requests, Seconds);
            responses += run.Requests;
            if (number >= FewestRuns && responses >= FewestResponses && run.Processor >= Steady * before) return;
            before = run.Processor;
        }
    }
}
