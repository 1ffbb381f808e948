using System.Collections.Concurrent;
using System.Globalization;
using Testing;

namespace Edge;

/// <summary>What one run of wrk measured.</summary>
/// <param name="Requests">How many were answered.</param>
/// <param name="Rate">Answers a second.</param>
/// <param name="P50">Half of the answers came within this many milliseconds.</param>
/// <param name="P99">99 of 100 did within this many.</param>
internal sealed record WrkRun(long Requests, double Rate, double P50, double P99);

/// <summary>The load: one thread that sends the requests of a file.</summary>
internal static class Wrk
{
    // So many that one which waits for its answer is hardly missed among those that are about to ask.
    private const int Callers = 256;

    private const int WarmupSeconds = 2;
    private const int FewestWarmups = 2;
    private const int MostWarmups = 5;
    private const double Steady = 0.05;

    /// <summary>Asks until the rate is steady: a .NET server gets faster for some seconds.</summary>
    /// <inheritdoc cref="RunAsync(string, string, int, int)"/>
    public static async Task WarmUpAsync(string url, string requests)
    {
        var before = 0.0;
        for (var warmup = 1; warmup <= MostWarmups; warmup++)
        {
            var (_, rate, _, _) = await RunAsync(url, requests, WarmupSeconds);
            if (warmup >= FewestWarmups && Math.Abs(rate - before) <= Steady * before) return;
            before = rate;
        }
    }

    /// <summary>As fast as they are answered: connections that each ask again once they have their answer.</summary>
    /// <param name="url">Scheme, host and port.</param>
    /// <param name="requests">The file that <c>requests.lua</c> reads.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="connections">How many are in flight.</param>
    /// <exception cref="InvalidOperationException">An answer was no success, or did not come: a benchmark of failures would be none.</exception>
    public static Task<WrkRun> RunAsync(string url, string requests, int seconds, int connections = 32) =>
        RunAsync(url, seconds, connections, [requests]);

    /// <summary>At a rate: many callers, each of which pauses by chance before it asks, so that requests come as those of strangers do.</summary>
    /// <inheritdoc cref="RunAsync(string, string, int, int)"/>
    public static Task<WrkRun> RunAtRateAsync(string url, string requests, int seconds, double rate) =>
        RunAsync(url, seconds, Callers, [requests, (Callers / rate * 1e3).ToString(CultureInfo.InvariantCulture)]);

    private static async Task<WrkRun> RunAsync(string url, int seconds, int connections, string[] arguments)
    {
        var lines = new ConcurrentQueue<string>();
        using var wrk = ChildProcess.Start(
            "wrk",
            ["-t1", $"-c{connections}", $"-d{seconds}s", "-s", Path.Combine(AppContext.BaseDirectory, "requests.lua"), url, "--", .. arguments],
            onLine: lines.Enqueue);
        await wrk.WaitForExitAsync();
        if (wrk.ExitCode != 0 || lines.FirstOrDefault(line => line.StartsWith("result ", StringComparison.Ordinal)) is not { } result)
            throw new InvalidOperationException($"wrk ended with {wrk.ExitCode}:\n{string.Join('\n', lines)}");
        var numbers = result.Split(' ')[1..].Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        if (numbers is not [> 0 and var answered, var microseconds, 0, var p50, var p99])
            throw new InvalidOperationException($"{url}: {numbers[2]} failures beside {numbers[0]} answers:\n{string.Join('\n', lines)}");
        return new(answered, answered / (microseconds / 1e6), p50 / 1e3, p99 / 1e3);
    }
}
