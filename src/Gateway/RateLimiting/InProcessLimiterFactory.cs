using System.Threading.RateLimiting;
using Gateway.Configuration;

namespace Gateway.RateLimiting;

/// <summary>Creates limiters that count in this process alone.</summary>
internal sealed class InProcessLimiterFactory(TimeProvider time)
{
    private const int SegmentsOfAWindow = 10;

    private readonly Func<LimitKey, RateLimiter> _limiter = key => Create(key.Options, time);

    public RateLimitPartition<LimitKey> Partition(LimitKey key) => RateLimitPartition.Get(key, _limiter);

    public static RateLimiter Create(RateLimitPolicyOptions options, TimeProvider time) => options.Algorithm switch
    {
        RateLimitAlgorithm.FixedWindow => new WindowLimiter(options.PermitLimit, options.Window, segments: 1, time),
        RateLimitAlgorithm.SlidingWindow => new WindowLimiter(options.PermitLimit, options.Window, SegmentsOfAWindow, time),
        RateLimitAlgorithm.TokenBucket => new BucketLimiter(Bucket(options), time),
        RateLimitAlgorithm.Concurrency => new ConcurrencyLimiter(new() { PermitLimit = options.PermitLimit }),
        _ => throw new ArgumentOutOfRangeException(nameof(options), options.Algorithm, "unknown algorithm"),
    };

    public static TokenBucketRateLimiterOptions Bucket(RateLimitPolicyOptions policy)
    {
        // Refill evenly over the window: in the largest number of steps, up to SegmentsOfAWindow, that divides the limit.
        var steps = Enumerable.Range(1, SegmentsOfAWindow).Last(steps => policy.PermitLimit % steps == 0);
        return new() { TokenLimit = policy.PermitLimit, TokensPerPeriod = policy.PermitLimit / steps, ReplenishmentPeriod = policy.Window / steps };
    }
}
