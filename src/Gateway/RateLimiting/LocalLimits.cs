using System.Threading.RateLimiting;
using Gateway.Configuration;

namespace Gateway.RateLimiting;

/// <summary>Limits that this process counts for itself.</summary>
internal static class LocalLimits
{
    private const int SegmentsOfAWindow = 10;

    public static RateLimitPartition<LimitKey> Partition(LimitKey key) => key.Options.Algorithm switch
    {
        RateLimitAlgorithm.FixedWindow => RateLimitPartition.GetFixedWindowLimiter(key, static key => new()
        {
            PermitLimit = key.Options.PermitLimit,
            Window = key.Options.Window,
        }),
        RateLimitAlgorithm.SlidingWindow => RateLimitPartition.GetSlidingWindowLimiter(key, static key => new()
        {
            PermitLimit = key.Options.PermitLimit,
            Window = key.Options.Window,
            SegmentsPerWindow = SegmentsOfAWindow,
        }),
        RateLimitAlgorithm.TokenBucket => RateLimitPartition.GetTokenBucketLimiter(key, static key => Bucket(key.Options)),
        RateLimitAlgorithm.Concurrency => RateLimitPartition.GetConcurrencyLimiter(key, static key => new() { PermitLimit = key.Options.PermitLimit }),
        _ => throw new ArgumentOutOfRangeException(nameof(key), key.Options.Algorithm, "unknown algorithm"),
    };

    public static TokenBucketRateLimiterOptions Bucket(RateLimitPolicyOptions policy)
    {
        // Evenly over the window: in the most steps, up to the segments, that divide the limit.
        var steps = Enumerable.Range(1, SegmentsOfAWindow).Last(steps => policy.PermitLimit % steps == 0);
        return new() { TokenLimit = policy.PermitLimit, TokensPerPeriod = policy.PermitLimit / steps, ReplenishmentPeriod = policy.Window / steps };
    }
}
