namespace Gateway.Management.Console;

/// <summary>
/// Tells each console when to ask again: after two seconds while few are open, later while there are many, so that together they ask four times a second.
/// </summary>
internal sealed class PollSchedule(TimeProvider time)
{
    /// <summary>A console sends this header with every request, and reads from the response's how long to wait, in milliseconds.</summary>
    public const string Header = "X-Poll-After-Ms";

    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_spacing = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly long _begin = time.GetTimestamp();
    private TimeSpan _last;

    /// <summary>How long the console that asks now waits.</summary>
    public TimeSpan Next()
    {
        lock (_lock)
        {
            var now = time.GetElapsedTime(_begin);
            _last = TimeSpan.FromTicks(Math.Clamp((_last + s_spacing).Ticks, (now + s_shortest).Ticks, (now + s_longest).Ticks));
            return _last - now;
        }
    }
}
