using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Gateway.Configuration;
using RedisRateLimiting;
using StackExchange.Redis;

namespace Gateway.RateLimiting;

/// <summary>One partition of a limit in Redis. It has nothing to lose: the count is there.</summary>
internal sealed class SharedLimit(SharedLimits limits, LimitKey key, string keyPrefix) : RateLimiter
{
    private static readonly RateLimitLease s_notWithoutWaiting = new WaitLease(TimeSpan.Zero);

    private readonly string _name = Name(key, keyPrefix);
    private RateLimiter? _inRedis;
    private long _lastUsed = Stopwatch.GetTimestamp();

    public override TimeSpan? IdleDuration => Stopwatch.GetElapsedTime(Volatile.Read(ref _lastUsed));

    public LimitKey Key => key;

    public override RateLimiterStatistics? GetStatistics() => null;

    /// <exception cref="RedisException">Redis did not take the count.</exception>
    /// <exception cref="TimeoutException">Redis did not answer.</exception>
    public async Task<RateLimitLease> TakeAsync(IConnectionMultiplexer redis)
    {
        var lease = await (_inRedis ??= Create(redis)).AcquireAsync();
        if (lease.IsAcquired) return new Lease(lease);
        // Clocks of replicas may differ. No wait is longer than the window.
        var wait = await WaitAsync(lease, redis);
        return new WaitLease(wait < key.Options.Window ? wait : key.Options.Window);
    }

    /// <summary>The time until Redis holds a permit.</summary>
    private async Task<TimeSpan> WaitAsync(RateLimitLease refused, IConnectionMultiplexer redis) => key.Options.Algorithm switch
    {
        // The window that is told to end in this many whole seconds ends after the last of them.
        RateLimitAlgorithm.FixedWindow when refused.TryGetMetadata(RateLimitMetadataName.RetryAfter, out var seconds) => TimeSpan.FromSeconds(seconds + 1),
        RateLimitAlgorithm.TokenBucket when refused.TryGetMetadata(RateLimitMetadataName.RetryAfter, out var seconds) => TimeSpan.FromSeconds(seconds),
        RateLimitAlgorithm.SlidingWindow => await UntilOldestLeavesAsync(redis),
        _ => TimeSpan.Zero,
    };

    // The limiter reports no time. It keeps a sorted set of the requests in the window, each with the second of the clock that it came in.
    private async Task<TimeSpan> UntilOldestLeavesAsync(IConnectionMultiplexer redis)
    {
        try
        {
            var oldest = await redis.GetDatabase().SortedSetRangeByRankWithScoresAsync($"rl:sw:{{{_name}}}", 0, 0);
            return oldest is [{ Score: var second }] ? DateTimeOffset.UnixEpoch.AddSeconds(second) + key.Options.Window - DateTimeOffset.UtcNow : TimeSpan.Zero;
        }
        catch (Exception)
        {
            // Redis has refused the request. It stays refused when only the wait is unknown.
            return TimeSpan.Zero;
        }
    }

    // Asked first, by a middleware that then asks again and waits.
    protected override RateLimitLease AttemptAcquireCore(int permitCount) => s_notWithoutWaiting;

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
            // It counts in whole seconds of the clock, and a window ends after the second that it is told to end in.
            RateLimitAlgorithm.FixedWindow => new RedisFixedWindowRateLimiter<string>(
                name, new() { ConnectionMultiplexerFactory = factory, PermitLimit = options.PermitLimit, Window = options.Window - TimeSpan.FromMilliseconds(999) }),
            RateLimitAlgorithm.SlidingWindow => new RedisSlidingWindowRateLimiter<string>(
                name, new() { ConnectionMultiplexerFactory = factory, PermitLimit = options.PermitLimit, Window = options.Window }),
            RateLimitAlgorithm.TokenBucket => TokenBucket(LocalLimits.Bucket(options)),
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
        // A digest of the options too: while replicas are replaced one by one, those with another limit have another count.
        var options = key.Options;
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{options.Algorithm} {options.PartitionBy} {options.PermitLimit} {options.Window.Ticks}\n{key.Partition}"));
        return $"{keyPrefix}{key.Name}:{Convert.ToHexStringLower(digest)}";
    }

    /// <summary>Gives a lease back behind the request, which Redis must neither hold up nor fail: what it is not told of ends by itself.</summary>
    private sealed class Lease(RateLimitLease inRedis) : RateLimitLease
    {
        public override bool IsAcquired => true;

        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = null;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            _ = Task.Run(inRedis.Dispose);
            base.Dispose(disposing);
        }
    }
}
