namespace IotCredentials.Telemetry;

/// <summary>Allows one log entry per interval, for conditions that every request can meet.</summary>
internal sealed class LogInterval(TimeSpan interval, TimeProvider time)
{
    private const long Never = long.MinValue;

    private long _last = Never;

    public bool IsDue()
    {
        var last = Volatile.Read(ref _last);
        return (last == Never || time.GetElapsedTime(last) >= interval) && Interlocked.CompareExchange(ref _last, time.GetTimestamp(), last) == last;
    }
}
