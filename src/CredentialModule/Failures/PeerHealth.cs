namespace IotCredentials.Failures;

/// <summary>
/// The health of a server that this process calls for many callers. While the server fails, it is called once in a while, with growing pauses, and other
/// callers do not wait for it. This class only keeps state: its owner sets the deadline of a call and reports the result.
/// <para>
/// A server may fail for what one caller asks about, and answer all others. So a failed call for a caller is only a doubt. After several in a row, the owner
/// asks about something of its own, and reports that result as the server's. The call that may be made during an outage is a caller's again, because the server
/// may fail for what the owner asks about, and its success ends the outage.
/// </para>
/// </summary>
/// <param name="time">The clock.</param>
public sealed class PeerHealth(TimeProvider time)
{
    private const int MostDoubts = 5;
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(8);

    private readonly Lock _lock = new();
    private int _doubts;
    private int _failures;
    private long _begun;
    private long _lastCall;
    private volatile PeerOutage? _outage;

    /// <summary>The outage; null while the server can be asked.</summary>
    public PeerOutage? Outage => _outage;

    /// <summary>The time from the start of one attempt to the start of the next, while the server fails. It doubles from 1 s to 8 s.</summary>
    public TimeSpan Pause
    {
        get
        {
            lock (_lock)
            {
                var doublings = Math.Clamp(_failures - 1, 0, 10);
                return TimeSpan.FromTicks(Math.Min(s_firstPause.Ticks << doublings, s_longestPause.Ticks));
            }
        }
    }

    /// <summary>Whether the server may be called now. During an outage this is true once per <see cref="Pause"/>, and the call has to follow.</summary>
    public bool TryBeginCall()
    {
        if (_outage is null) return true;
        lock (_lock)
        {
            if (_outage is null) return true;
            if (time.GetElapsedTime(_lastCall) < Pause) return false;
            _lastCall = time.GetTimestamp();
            return true;
        }
    }

    /// <summary>Reports that the server has answered.</summary>
    /// <returns>How long the outage was that this ends; null if there was none.</returns>
    public TimeSpan? Succeeded()
    {
        if (_failures == 0 && _doubts == 0) return null;
        lock (_lock)
        {
            var ended = _outage;
            (_doubts, _failures, _outage) = (0, 0, null);
            return ended is null ? null : time.GetElapsedTime(_begun);
        }
    }

    /// <summary>Reports that a call for a caller has failed, which can be because of what it asked about.</summary>
    /// <returns>Whether the owner has to ask about something of its own.</returns>
    public bool Doubt()
    {
        lock (_lock) return ++_doubts >= MostDoubts;
    }

    /// <summary>Reports that a call of the owner has failed.</summary>
    /// <param name="address">What was called, without secrets.</param>
    /// <param name="cause">Why it failed, in words of our own.</param>
    /// <returns>Whether an outage begins with it.</returns>
    public bool Failed(string address, string cause)
    {
        lock (_lock)
        {
            _failures++;
            var before = _outage;
            _outage = new PeerOutage(address, cause, before?.Since ?? time.GetUtcNow());
            _lastCall = time.GetTimestamp();
            if (before is null) _begun = _lastCall;
            return before is null;
        }
    }
}

/// <summary>Why a server cannot be asked.</summary>
/// <param name="Address">What was called, without secrets.</param>
/// <param name="Cause">The cause of the last failure, for an operator.</param>
/// <param name="Since">The time of the first failure.</param>
public sealed record PeerOutage(string Address, string Cause, DateTimeOffset Since);
