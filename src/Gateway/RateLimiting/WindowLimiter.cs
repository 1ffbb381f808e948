namespace Gateway.RateLimiting;

/// <summary>
/// Counts permits over the last window, in segments: a permit is available again one window after its segment began. With one segment this is a fixed window,
/// which begins with the first request after the previous window.
/// </summary>
internal sealed class WindowLimiter(int permitLimit, TimeSpan window, int segments, TimeProvider time) : TimedLimiter(time)
{
    // A ring buffer of the segments that hold permits: _length of them, starting at _first.
    private readonly (TimeSpan Begun, int Taken)[] _segments = new (TimeSpan, int)[segments];
    private int _first;
    private int _length;
    private int _taken;

    private ref (TimeSpan Begun, int Taken) Last => ref _segments[(_first + _length - 1) % segments];

    protected override long Remaining => permitLimit - _taken;

    protected override TimeSpan MoreAt => _segments[_first].Begun + window;

    protected override bool Take(int permits, TimeSpan now)
    {
        while (_length > 0 && now - _segments[_first].Begun >= window)
        {
            _taken -= _segments[_first].Taken;
            _first = (_first + 1) % segments;
            _length--;
        }

        if (_taken + Math.Max(permits, 1) > permitLimit) return false;
        if (permits == 0) return true;
        // A window may not divide evenly into ticks. If the ring is full, count into its last segment.
        if (_length == 0 || (_length < segments && now - Last.Begun >= window / segments))
        {
            _length++;
            Last = (now, 0);
        }

        Last.Taken += permits;
        _taken += permits;
        AllThereAt = Last.Begun + window;
        return true;
    }
}
