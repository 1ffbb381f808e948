using System.Collections.Concurrent;
using System.Globalization;
using System.Runtime.InteropServices;
using Testing;

namespace Edge;

/// <summary>Where and with what was measured.</summary>
internal static class Machine
{
    public static async Task<IReadOnlyList<string>> DescribeAsync() =>
    [
        $"{DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)} UTC, "
            + $"commit {await FirstLineAsync("git", "describe", "--always", "--dirty")}",
        $"{Environment.ProcessorCount} cores of {Field("/proc/cpuinfo", "model name")}, memory {Field("/proc/meminfo", "MemTotal")}, "
            + $"{RuntimeInformation.OSDescription}",
        RuntimeInformation.FrameworkDescription,
        await FirstLineAsync("haproxy", "-v"),
        await FirstLineAsync("nginx", "-v"),
        await FirstLineAsync("redis-server", "--version"),
        await FirstLineAsync("wrk", "-v"),
    ];

    private static string Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() ?? "unknown";

    private static async Task<string> FirstLineAsync(string program, params string[] arguments)
    {
        var lines = new ConcurrentQueue<string>();
        using var process = ChildProcess.Start(program, arguments, onLine: lines.Enqueue);
        await process.WaitForExitAsync();
        return lines.TryPeek(out var first) ? first : "unknown";
    }
}
