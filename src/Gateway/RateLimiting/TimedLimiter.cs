using System.Threading.RateLimiting;

namespace Gateway.RateLimiting;

/// <summary>
/// A limiter that reports when its next permit is available. The limiters of System.Threading.RateLimiting report the whole window or nothing, and do not use a
/// <see cref="TimeProvider"/>.
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

    private TimeSpan Now => time.GetElapsedTime(_created);

    public override RateLimiterStatistics? GetStatistics() => null;

    /// <summary>Takes permits and returns null, or takes none and returns the time until the next one is available.</summary>
    protected abstract TimeSpan? Take(int permits, TimeSpan now);

    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        lock (_lock) return Take(permitCount, Now) is { } wait ? new WaitLease(wait) : WaitLease.Acquired;
    }

    // There is no queue: a request over the limit is rejected at once.
    protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) => new(AttemptAcquireCore(permitCount));
}

/// <summary>A lease that has nothing to release. If it was not acquired, it holds the time until a permit is available.</summary>
internal sealed class WaitLease : RateLimitLease
{
    public static readonly WaitLease Acquired = new();

    private readonly TimeSpan? _wait;

    public WaitLease(TimeSpan wait) => _wait = wait;

    private WaitLease() { }

    public override bool IsAcquired => _wait is null;

    public override IEnumerable<string> MetadataNames => _wait is null ? [] : [MetadataName.RetryAfter.Name];

    public override bool TryGetMetadata(string metadataName, out object? metadata)
    {
        metadata = metadataName == MetadataName.RetryAfter.Name ? _wait : null;
        return metadata is not null;
    }
}
