using System.Collections.Concurrent;
using System.Globalization;
using Testing;

namespace Edge;

/// <summary>What one run of wrk measured.</summary>
/// <param name="Requests">How many were answered.</param>
/// <param name="Rate">Answers a second.</param>
/// <param name="P50">Half of the answers came within this many milliseconds.</param>
/// <param name="P99">99 of 100 did within this many.</param>
internal sealed record WrkRun(long Requests, double Rate, double P50, double P99)
{
    /// <summary>Microseconds of the server's processor time a request.</summary>
    public double Processor { get; init; }
}

/// <summary>The load: one thread that sends the requests of a file.</summary>
internal static class Wrk
{
    // So many that one which waits for its answer is hardly missed among those that are about to ask.
    private const int Callers = 256;

    /// <summary>The requests that a warm-up takes at least, unless it would take longer than <see cref="LongestWarmUp"/>.</summary>
    public const int FewestAnswers = 40_000;

    /// <summary>Seconds.</summary>
    public const int LongestWarmUp = MostWarmups * WarmupSeconds;

    private const int WarmupSeconds = 2;
    private const int FewestWarmups = 2;
    private const int MostWarmups = 4;
    private const double Steady = 0.95;

    /// <summary>As fast as they are answered: connections that each ask again once they have their answer.</summary>
    /// <param name="server">Who is asked.</param>
    /// <param name="requests">The file that <c>requests.lua</c> reads.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="connections">How many are in flight.</param>
    /// <exception cref="InvalidOperationException">An answer was no success, or did not come: a benchmark of failures would be none.</exception>
    public static Task<WrkRun> RunAsync(Server server, string requests, int seconds, int connections = 32) =>
        RunAsync(server, seconds, connections, [requests]);

    /// <summary>At a rate: many callers, each of which pauses by chance before it asks, so that requests come as those of strangers do.</summary>
    /// <inheritdoc cref="RunAsync(Server, string, int, int)"/>
    public static Task<WrkRun> RunAtRateAsync(Server server, string requests, int seconds, double rate) =>
        RunAsync(server, seconds, Callers, [requests, (Callers / rate * 1e3).ToString(CultureInfo.InvariantCulture)]);

    /// <summary>Asks until a request takes the server no less processor time than before: .NET compiles what is hot for some seconds.</summary>
    public static async Task WarmUpAsync(Server server, string requests)
    {
        var before = double.MaxValue;
        var answered = 0L;
        for (var warmup = 1; warmup <= MostWarmups; warmup++)
        {
            var run = await RunAsync(server, requests, WarmupSeconds);
            answered += run.Requests;
            if (warmup >= FewestWarmups && answered >= FewestAnswers && run.Processor >= Steady * before) return;
            before = run.Processor;
        }
    }

    private static async Task<WrkRun> RunAsync(Server server, int seconds, int connections, string[] arguments)
    {
        var before = server.Processor;
        var lines = new ConcurrentQueue<string>();
        using var wrk = ChildProcess.Start(
            "wrk",
            ["-t1", $"-c{connections}", $"-d{seconds}s", "-s", Path.Combine(AppContext.BaseDirectory, "requests.lua"), server.Url, "--", .. arguments],
            onLine: lines.Enqueue);
        await wrk.WaitForExitAsync();
        if (wrk.ExitCode != 0 || lines.FirstOrDefault(line => line.StartsWith("result ", StringComparison.Ordinal)) is not { } result)
            throw new InvalidOperationException($"wrk ended with {wrk.ExitCode}:\n{string.Join('\n', lines)}");
        var numbers = result.Split(' ')[1..].Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        if (numbers is not [> 0 and var answered, var microseconds, 0, var p50, var p99])
            throw new InvalidOperationException($"{server.Url}: {numbers[2]} failures beside {numbers[0]} answers:\n{string.Join('\n', lines)}");
        return new(answered, answered / (microseconds / 1e6), p50 / 1e3, p99 / 1e3) { Processor = (server.Processor - before).TotalMicroseconds / answered };
    }
}
