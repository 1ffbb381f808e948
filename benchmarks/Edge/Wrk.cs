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

/// <summary>The load: one thread, and as many connections that each ask again once they have their answer.</summary>
internal static class Wrk
{
    public const int Connections = 32;

    /// <param name="url">Scheme, host and port.</param>
    /// <param name="requests">The file that <c>requests.lua</c> reads.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="connections">How many are in flight.</param>
    /// <exception cref="InvalidOperationException">An answer was no success, or did not come: a benchmark of failures would be none.</exception>
    public static async Task<WrkRun> RunAsync(string url, string requests, int seconds, int connections = Connections)
    {
        var lines = new ConcurrentQueue<string>();
        using var wrk = ChildProcess.Start(
            "wrk",
            ["-t1", $"-c{connections}", $"-d{seconds}s", "-s", Path.Combine(AppContext.BaseDirectory, "requests.lua"), url, "--", requests],
            onLine: lines.Enqueue);
        await wrk.WaitForExitAsync();
        if (wrk.ExitCode != 0 || lines.FirstOrDefault(line => line.StartsWith("result ", StringComparison.Ordinal)) is not { } result)
            throw new InvalidOperationException($"wrk ended with {wrk.ExitCode}:\n{string.Join('\n', lines)}");
        var numbers = result.Split(' ')[1..].Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        if (numbers is not [var answered, var microseconds, 0, var p50, var p99])
            throw new InvalidOperationException($"{url}: {numbers[2]} of {numbers[0]} requests failed:\n{string.Join('\n', lines)}");
        return new(answered, answered / (microseconds / 1e6), p50 / 1e3, p99 / 1e3);
    }
}
