using System.Threading.RateLimiting;

namespace Gateway.RateLimiting;

/// <summary>
/// A limiter that reports how many permits are left and when more become available. The limiters of System.Threading.RateLimiting report the whole window or
/// nothing, and do not use a <see cref="TimeProvider"/>.
/// </summary>
internal abstract class TimedLimiter(TimeProvider time) : RateLimiter
{
    private readonly Lock _lock = new();
    private readonly long _created = time.GetTimestamp();

    /// <summary>How long all permits have been available; null while some are taken. A limiter that is idle for some seconds is dropped.</summary>
    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_lock) return Now >= AllThereAt ? Now - AllThereAt : null;
        }
    }

    /// <summary>When all permits are available again if no more are taken, counted from the limiter's creation.</summary>
    protected TimeSpan AllThereAt { get; set; }

    /// <summary>How many permits are left after the last call of <see cref="Take"/>.</summary>
    protected abstract long Remaining { get; }

    /// <summary>When more permits become available, counted from the limiter's creation.</summary>
    protected abstract TimeSpan MoreAt { get; }

    private TimeSpan Now => time.GetElapsedTime(_created);

    public override RateLimiterStatistics? GetStatistics() => null;

    /// <summary>Takes all of the permits and returns true, or takes none.</summary>
    protected abstract bool Take(int permits, TimeSpan now);

    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        lock (_lock)
        {
            var now = Now;
            var isAcquired = Take(permitCount, now);
            return new CountedLease(isAcquired, Remaining, MoreAt - now);
        }
    }

    // There is no queue: a request over the limit is rejected at once.
    protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) => new(AttemptAcquireCore(permitCount));
}
