using System.Globalization;
using Testing;

namespace Edge;

/// <summary>The load by HTTP/2: one thread that sends the first request of a file again and again.</summary>
internal static class H2Load
{
    private const int Connections = 4;

    /// <summary>In flight on each connection, so that as many are in flight as with <see cref="Wrk"/>.</summary>
    private const int Streams = 8;

    /// <inheritdoc cref="Load"/>
    /// <exception cref="InvalidOperationException">A response was no success, or none came.</exception>
    public static async Task<LoadRun> RunAsync(Server server, string requests, int seconds)
    {
        var request = File.ReadLines(requests).First().Split('\t');
        // In this process' folder for temporary files, which goes with it.
        var log = Path.GetTempFileName();
        var before = server.Processor;
        using var load = ChildProcess.Start(
            "h2load",
            [
                $"--duration={seconds}", "--threads=1", $"--clients={Connections}", $"--max-concurrent-streams={Streams}", $"--header={request[1]}",
                $"--log-file={log}", server.Url + request[0],
            ]);
        await load.WaitForExitAsync();
        var processor = server.Processor - before;
        if (load.ExitCode != 0) throw new InvalidOperationException($"h2load ended with {load.ExitCode}.");

        // A line is the time in microseconds, the status, and the microseconds that the response took.
        var responses = File.ReadLines(log).Select(line => line.Split('\t')).ToArray();
        var failures = responses.Count(response => response[1] != "200");
        if (responses.Length == 0 || failures > 0)
            throw new InvalidOperationException($"{server.Url}: {failures} failures in {responses.Length} responses by HTTP/2.");
        var milliseconds = responses.Select(response => long.Parse(response[2], CultureInfo.InvariantCulture) / 1e3).Order().ToArray();
        return new(responses.Length, (double)responses.Length / seconds, At(0.5), At(0.99)) { Processor = processor.TotalMicroseconds / responses.Length };

        double At(double part) => milliseconds[(int)(part * (milliseconds.Length - 1))];
    }
}
