using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Gateway.Configuration;
using RedisRateLimiting;
using StackExchange.Redis;

namespace Gateway.RateLimiting;

/// <summary>One partition of a limit in Redis. It can be dropped at any time, because the count is in Redis.</summary>
internal sealed class RedisRateLimiter(RedisRateLimiterFallback limits, LimitKey key, string keyPrefix) : RateLimiter
{
    private readonly string _name = Name(key, keyPrefix);
    private RateLimiter? _inRedis;
    private long _lastUsed = Stopwatch.GetTimestamp();

    public override TimeSpan? IdleDuration => Stopwatch.GetElapsedTime(Volatile.Read(ref _lastUsed));

    public LimitKey Key => key;

    public override RateLimiterStatistics? GetStatistics() => null;

    /// <exception cref="RedisException">Redis rejected the count.</exception>
    /// <exception cref="TimeoutException">Redis did not respond.</exception>
    public async Task<RateLimitLease> TakeAsync(IConnectionMultiplexer redis)
    {
        var lease = await (_inRedis ??= Create(redis)).AcquireAsync();
        if (lease.IsAcquired) return new Lease(lease, RemainingOf(lease));
        // The clocks of replicas may differ. Cap the wait at the window.
        var wait = await WaitAsync(lease, redis);
        return new CountedLease(isAcquired: false, remaining: 0, wait > key.Options.Window ? key.Options.Window : wait);
    }

    private long? RemainingOf(RateLimitLease lease) => !lease.TryGetMetadata(RateLimitMetadataName.Remaining, out var remaining) ? null
        // These two report what was left before the request.
        : key.Options.Algorithm is RateLimitAlgorithm.SlidingWindow or RateLimitAlgorithm.Concurrency ? remaining - 1
        : remaining;

    /// <summary>The time until Redis has a permit; null if unknown.</summary>
    private async Task<TimeSpan?> WaitAsync(RateLimitLease refused, IConnectionMultiplexer redis) => key.Options.Algorithm switch
    {
        // The reported number of whole seconds is rounded down: the window ends up to a second later.
        RateLimitAlgorithm.FixedWindow when refused.TryGetMetadata(RateLimitMetadataName.RetryAfter, out var seconds) => TimeSpan.FromSeconds(seconds + 1),
        RateLimitAlgorithm.TokenBucket when refused.TryGetMetadata(RateLimitMetadataName.RetryAfter, out var seconds) => TimeSpan.FromSeconds(seconds),
        RateLimitAlgorithm.SlidingWindow => await UntilOldestLeavesAsync(redis),
        _ => null,
    };

    // The sliding-window limiter reports no time. It keeps a sorted set of the requests in the window, each scored with the clock's second of its arrival.
    private async Task<TimeSpan?> UntilOldestLeavesAsync(IConnectionMultiplexer redis)
    {
        try
        {
            var oldest = await redis.GetDatabase().SortedSetRangeByRankWithScoresAsync($"rl:sw:{{{_name}}}", 0, 0);
            return oldest is [{ Score: var second }] ? DateTimeOffset.UnixEpoch.AddSeconds(second) + key.Options.Window - DateTimeOffset.UtcNow : null;
        }
        catch (Exception)
        {
            // Redis has rejected the request. It stays rejected when only the wait is unknown.
            return null;
        }
    }

    // Redis is asked asynchronously only.
    protected override RateLimitLease AttemptAcquireCore(int permitCount) => throw new NotSupportedException();

    protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _lastUsed, Stopwatch.GetTimestamp());
        return limits.TakeAsync(this);
    }

    private RateLimiter Create(IConnectionMultiplexer redis)
    {
        var (name, options) = (_name, key.Options);
        var factory = () => redis;
        return options.Algorithm switch
        {
            // The fixed-window limiter counts in whole seconds of the clock, and a window lasts until the end of the second in which it is due. Its window is
            // therefore 999 ms shorter.
            RateLimitAlgorithm.FixedWindow => new RedisFixedWindowRateLimiter<string>(
                name,
                new() { ConnectionMultiplexerFactory = factory, PermitLimit = options.PermitLimit, Window = options.Window - TimeSpan.FromMilliseconds(999) }),
            RateLimitAlgorithm.SlidingWindow => new RedisSlidingWindowRateLimiter<string>(
                name, new() { ConnectionMultiplexerFactory = factory, PermitLimit = options.PermitLimit, Window = options.Window }),
            RateLimitAlgorithm.TokenBucket => TokenBucket(InProcessLimiterFactory.Bucket(options)),
            RateLimitAlgorithm.Concurrency => new RedisConcurrencyRateLimiter<string>(
                name, new() { ConnectionMultiplexerFactory = factory, PermitLimit = options.PermitLimit }),
            _ => throw new InvalidOperationException($"unknown algorithm {options.Algorithm}"),
        };

        RateLimiter TokenBucket(TokenBucketRateLimiterOptions bucket) => new RedisTokenBucketRateLimiter<string>(name, new()
        {
            ConnectionMultiplexerFactory = factory,
            TokenLimit = bucket.TokenLimit,
            TokensPerPeriod = bucket.TokensPerPeriod,
            ReplenishmentPeriod = bucket.ReplenishmentPeriod,
        });
    }

    private static string Name(LimitKey key, string keyPrefix)
    {
        // The key includes the options: during a rolling update, replicas with different limits must not share a counter.
        var options = key.Options;
        var digest = SHA256.HashData(
            Encoding.UTF8.GetBytes($"{options.Algorithm} {options.PartitionBy} {options.PermitLimit} {options.Window.Ticks}\n{key.Partition}"));
        return $"{keyPrefix}{key.Name}:{Convert.ToHexStringLower(digest)}";
    }

    /// <summary>
    /// Releases a lease after the request, in the background: Redis must neither delay nor fail the request. A lease that is not released expires by itself.
    /// </summary>
    private sealed class Lease(RateLimitLease inRedis, long? remaining) : CountedLease(isAcquired: true, remaining, more: null)
    {
        protected override void Dispose(bool disposing)
        {
            _ = Task.Run(inRedis.Dispose);
            base.Dispose(disposing);
        }
    }
}
