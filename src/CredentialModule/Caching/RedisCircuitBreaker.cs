namespace IotCredentials.Caching;

/// <summary>
/// A circuit breaker for Redis. One command that times out may be the fault of this process on a busy machine. If another command that began after that also
/// times out, Redis is gone: the circuit opens for 2 s, so that callers do not wait for it one after another.
/// </summary>
internal sealed class RedisCircuitBreaker(Action? leftAlone = null)
{
    private static readonly TimeSpan s_leftAloneFor = TimeSpan.FromSeconds(2);

    private long _suspectedSince = long.MaxValue;
    private long _leftAloneUntil;

    public bool IsOpen => Environment.TickCount64 < Volatile.Read(ref _leftAloneUntil);

    public void OnSuccess() => Volatile.Write(ref _suspectedSince, long.MaxValue);

    /// <param name="begun">The start of the command, by <see cref="Environment.TickCount64"/>.</param>
    public void OnTimeout(long begun)
    {
        var now = Environment.TickCount64;
        if (begun < Interlocked.CompareExchange(ref _suspectedSince, now, long.MaxValue)) return;
        Volatile.Write(ref _leftAloneUntil, now + (long)s_leftAloneFor.TotalMilliseconds);
        leftAlone?.Invoke();
    }
}
