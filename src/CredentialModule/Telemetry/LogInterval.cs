namespace IotCredentials.Telemetry;

/// <summary>Allows one log entry per interval, for conditions that every request can meet.</summary>
internal sealed class LogInterval(TimeSpan interval, TimeProvider time)
{
    private long _dueAt = long.MinValue;

    public bool IsDue()
    {
        var now = time.GetUtcNow().UtcTicks;
        var dueAt = Volatile.Read(ref _dueAt);
        return now >= dueAt && Interlocked.CompareExchange(ref _dueAt, now + interval.Ticks, dueAt) == dueAt;
    }
}
