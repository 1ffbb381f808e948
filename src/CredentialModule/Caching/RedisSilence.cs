namespace CredentialModule.Caching;

/// <summary>
/// Whether Redis is worth asking. One command without an answer in time may be this process's own fault, on a machine that is busy; another
/// one that began after it tells a Redis that is gone. It is then left alone for a while, so that callers do not pay for it one after another.
/// </summary>
internal sealed class RedisSilence(Action? leftAlone = null)
{
    private static readonly TimeSpan LeftAloneFor = TimeSpan.FromSeconds(2);

    private long _suspectedSince = long.MaxValue;
    private long _leftAloneUntil;

    public bool IsLeftAlone => Environment.TickCount64 < Volatile.Read(ref _leftAloneUntil);

    public void Answered() => Volatile.Write(ref _suspectedSince, long.MaxValue);

    /// <param name="begun">When the command began, by <see cref="Environment.TickCount64"/>.</param>
    public void NotAnswered(long begun)
    {
        var now = Environment.TickCount64;
        if (begun < Interlocked.CompareExchange(ref _suspectedSince, now, long.MaxValue)) return;
        Volatile.Write(ref _leftAloneUntil, now + (long)LeftAloneFor.TotalMilliseconds);
        leftAlone?.Invoke();
    }
}
