namespace IotCredentials.Redis;

/// <summary>
/// A circuit breaker for Redis. One command that times out may be the fault of this process on a busy machine. If another command that began after that also
/// times out, Redis is gone: the circuit opens for 2 s, so that callers do not wait for it one after another.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="onOpen">Called whenever the circuit opens.</param>
public sealed class RedisCircuitBreaker(TimeProvider time, Action? onOpen = null)
{
    private static readonly TimeSpan s_openFor = TimeSpan.FromSeconds(2);

    private long _suspectedSince = long.MaxValue;
    private long _openUntil = long.MinValue;

    /// <summary>Whether Redis should not be called now.</summary>
    public bool IsOpen => time.GetTimestamp() < Volatile.Read(ref _openUntil);

    /// <summary>Reports that a command succeeded.</summary>
    public void OnSuccess() => Volatile.Write(ref _suspectedSince, long.MaxValue);

    /// <summary>Reports that a command timed out.</summary>
    /// <param name="begun">The start of the command, by <see cref="TimeProvider.GetTimestamp"/>.</param>
    public void OnTimeout(long begun)
    {
        var now = time.GetTimestamp();
        if (begun < Interlocked.CompareExchange(ref _suspectedSince, now, long.MaxValue)) return;
        Volatile.Write(ref _openUntil, now + (long)(s_openFor.TotalSeconds * time.TimestampFrequency));
        onOpen?.Invoke();
    }
}
