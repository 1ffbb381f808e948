using System.Collections.Concurrent;

namespace Gateway.Telemetry;

/// <summary>
/// Log lines that requests could repeat without end: each kind is due once a minute, with the number of those that were left out. The number of kinds is bounded.
/// </summary>
/// <param name="most">The number of kinds that are told apart.</param>
/// <param name="time">The clock.</param>
internal sealed class RepeatedLines<TKind>(int most, TimeProvider time) where TKind : notnull
{
    private static readonly TimeSpan s_every = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<TKind, Line> _lines = new();
    private long _swept = time.GetTimestamp();

    /// <summary>Whether to write a line.</summary>
    /// <param name="kind">Its kind.</param>
    /// <param name="rest">The kind that it counts as when there are too many.</param>
    /// <param name="leftOut">How many were not written since the last of the kind that was.</param>
    public bool IsDue(TKind kind, TKind rest, out int leftOut)
    {
        // Counting takes all locks of the dictionary, so only a new kind is counted.
        if (!_lines.TryGetValue(kind, out var line)) line = _lines.GetOrAdd(HasRoom(rest) ? kind : rest, static _ => new());
        return line.IsDue(time, out leftOut);
    }

    private bool HasRoom(TKind rest)
    {
        if (_lines.Count < most) return true;
        var swept = Volatile.Read(ref _swept);
        if (time.GetElapsedTime(swept) < s_every || Interlocked.CompareExchange(ref _swept, time.GetTimestamp(), swept) != swept) return false;
        foreach (var (kind, line) in _lines)
            if (line.IsOld(time) && !kind.Equals(rest)) _lines.TryRemove(kind, out _);
        return _lines.Count < most;
    }

    private sealed class Line
    {
        private readonly Lock _lock = new();
        private long? _last;
        private int _leftOut;

        public bool IsOld(TimeProvider time)
        {
            lock (_lock) return _last is { } last && time.GetElapsedTime(last) >= s_every;
        }

        public bool IsDue(TimeProvider time, out int leftOut)
        {
            lock (_lock)
            {
                var isDue = _last is not { } last || time.GetElapsedTime(last) >= s_every;
                (leftOut, _leftOut) = isDue ? (_leftOut, 0) : (0, _leftOut + 1);
                if (isDue) _last = time.GetTimestamp();
                return isDue;
            }
        }
    }
}
