using System.Globalization;
using Testing;

namespace Scale;

/// <summary>The calls of each command that a Redis has counted, and the bytes that it has sent.</summary>
internal sealed record CommandStats(Dictionary<string, long> Calls, Dictionary<string, long> Microseconds, long Sent)
{
    // What replicas do in any case: they look for invalidated organizations, and at the connection.
    private static readonly HashSet<string> s_background =
    [
        "hgetall", "ping", "info", "client|setname", "client|setinfo", "client|id", "hello", "echo", "config|get", "subscribe", "unsubscribe", "role",
        "cluster|nodes", "select", "command",
    ];

    public static async Task<CommandStats> ReadAsync(RedisServer redis)
    {
        var calls = new Dictionary<string, long>(StringComparer.Ordinal);
        var microseconds = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var line in (await redis.ExecuteAsync("INFO", "commandstats")).Split('\n'))
        {
            if (!line.StartsWith("cmdstat_", StringComparison.Ordinal)) continue;
            var name = line["cmdstat_".Length..line.IndexOf(':', StringComparison.Ordinal)];
            (calls[name], microseconds[name]) = (Number(line, "calls="), Number(line, "usec="));
        }

        var stats = (await redis.ExecuteAsync("INFO", "stats")).Split('\n').First(line => line.StartsWith("total_net_output_bytes:", StringComparison.Ordinal));
        return new(calls, microseconds, Number(stats, "total_net_output_bytes:"));
    }

    public CommandStats Since(CommandStats earlier) => new(
        Calls.ToDictionary(pair => pair.Key, pair => pair.Value - earlier.Calls.GetValueOrDefault(pair.Key)),
        Microseconds.ToDictionary(pair => pair.Key, pair => pair.Value - earlier.Microseconds.GetValueOrDefault(pair.Key)),
        Sent - earlier.Sent);

    /// <summary>The commands of vending, those inside of scripts and transactions included.</summary>
    public IEnumerable<KeyValuePair<string, long>> Vending => Calls.Where(pair => pair.Value > 0 && !s_background.Contains(pair.Key));

    public long Total => Vending.Sum(pair => pair.Value);

    public string Per(int times) => string.Join(", ", Vending.OrderBy(pair => pair.Key, StringComparer.Ordinal)
        .Select(pair => FormattableString.Invariant($"{pair.Key} {(double)pair.Value / times:0.##}")));

    private static long Number(string line, string name)
    {
        var begin = line.IndexOf(name, StringComparison.Ordinal) + name.Length;
        var end = begin;
        while (end < line.Length && char.IsAsciiDigit(line[end])) end++;
        return long.Parse(line.AsSpan(begin, end - begin), CultureInfo.InvariantCulture);
    }
}
