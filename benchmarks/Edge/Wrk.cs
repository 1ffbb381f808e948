using System.Collections.Concurrent;
using System.Globalization;
using Testing;

namespace Edge;

/// <summary>The load: one thread that sends the requests of a file.</summary>
internal static class Wrk
{
    // So many that one which waits for its response is hardly missed among those that are about to ask.
    private const int Callers = 256;

    private const int Connections = 32;

    /// <inheritdoc cref="RunAsync(Server, string, int, int)"/>
    public static Task<LoadRun> RunAsync(Server server, string requests, int seconds) => RunAsync(server, requests, seconds, Connections);

    /// <summary>As fast as the server responds: each connection sends its next request once it has its response.</summary>
    /// <param name="server">Who is asked.</param>
    /// <param name="requests">The file that <c>requests.lua</c> reads.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="connections">How many are in flight.</param>
    /// <exception cref="InvalidOperationException">A response was no success, or did not come: a benchmark of failures would be none.</exception>
    public static Task<LoadRun> RunAsync(Server server, string requests, int seconds, int connections) =>
        RunAsync(server, seconds, connections, [requests]);

    /// <summary>At a rate: many callers, each of which pauses by chance before it asks, so that requests come as those of strangers do.</summary>
    /// <inheritdoc cref="RunAsync(Server, string, int, int)"/>
    public static Task<LoadRun> RunAtRateAsync(Server server, string requests, int seconds, double rate) =>
        RunAsync(server, seconds, Callers, [requests, (Callers / rate * 1e3).ToString(CultureInfo.InvariantCulture)]);

    private static async Task<LoadRun> RunAsync(Server server, int seconds, int connections, string[] arguments)
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
        if (numbers is not [> 0 and var responses, var microseconds, 0, var p50, var p99])
            throw new InvalidOperationException($"{server.Url}: {numbers[2]} failures beside {numbers[0]} responses:\n{string.Join('\n', lines)}");
        return new(responses, responses / (microseconds / 1e6), p50 / 1e3, p99 / 1e3) { Processor = (server.Processor - before).TotalMicroseconds / responses };
    }
}
