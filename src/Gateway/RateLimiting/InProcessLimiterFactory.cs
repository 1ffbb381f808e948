using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Gateway.Configuration;
using Gateway.Telemetry;

namespace Gateway.RateLimiting;

/// <summary>
/// Creates limiters that count in this process alone. A limiter lives as long as its window, and strangers can send requests from any number of addresses: while
/// a limit has <see cref="MostCallers"/>, its further callers share <see cref="SharedLimiters"/>, by a hash that nobody can predict.
/// </summary>
internal sealed partial class InProcessLimiterFactory(TimeProvider time, ILogger<InProcessLimiterFactory> logger)
{
    /// <summary>The limiters that further callers of a limit share.</summary>
    public const int SharedLimiters = 1_024;

    private const int SegmentsOfAWindow = 10;
    private const int MostLimitsInLog = 100;

    private static readonly string[] s_shared = [.. Enumerable.Range(0, SharedLimiters).Select(static number => $"\0{number}")];

    private readonly ConcurrentDictionary<string, Callers> _byLimit = new(StringComparer.Ordinal);
    private readonly RepeatedLines<string> _full = new(MostLimitsInLog, time);

    /// <summary>The callers of a limit that have a limiter each: some 500 bytes, and the caller's key.</summary>
    public int MostCallers { get; init; } = 100_000;

    /// <summary>How many callers of a limit have a limiter of their own.</summary>
    public int CountOf(string limit) => _byLimit.TryGetValue(limit, out var callers) ? callers.Count : 0;

    public RateLimitPartition<LimitKey> Partition(LimitKey key)
    {
        var callers = _byLimit.GetOrAdd(key.Name, static (_, time) => new Callers(time), time);
        if (callers.Count < MostCallers || callers.Has(key)) return RateLimitPartition.Get(key, callers.Add);
        if (_full.IsDue(key.Name, rest: "", out _)) Log.Full(logger, key.Name, MostCallers, SharedLimiters);
        var shared = key with { Partition = s_shared[(uint)string.GetHashCode(key.Partition) % SharedLimiters] };
        return RateLimitPartition.Get(shared, shared => Create(shared.Options, time));
    }

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

    private sealed class Callers
    {
        private readonly ConcurrentDictionary<LimitKey, CallerLimiter> _limiters = new();
        private int _count;

        public Callers(TimeProvider time) => Add = key =>
        {
            var limiter = new CallerLimiter(this, key, Create(key.Options, time));
            Interlocked.Increment(ref _count);
            return _limiters[key] = limiter;
        };

        /// <summary>Creates a caller's limiter.</summary>
        public Func<LimitKey, RateLimiter> Add { get; }

        // The dictionary's own count takes all of its locks.
        public int Count => Volatile.Read(ref _count);

        public bool Has(LimitKey key) => _limiters.ContainsKey(key);

        public void Remove(LimitKey key, CallerLimiter limiter)
        {
            Interlocked.Decrement(ref _count);
            _limiters.TryRemove(KeyValuePair.Create(key, limiter));
        }
    }

    private sealed class CallerLimiter(Callers callers, LimitKey key, RateLimiter limiter) : RateLimiter
    {
        private int _isDisposed;

        public override TimeSpan? IdleDuration => limiter.IdleDuration;

        public override RateLimiterStatistics? GetStatistics() => limiter.GetStatistics();

        protected override RateLimitLease AttemptAcquireCore(int permitCount) => limiter.AttemptAcquire(permitCount);

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) =>
            limiter.AcquireAsync(permitCount, cancellationToken);

        // DisposeAsync comes here too.
        protected override void Dispose(bool disposing)
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                limiter.Dispose();
                callers.Remove(key, this);
            }

            base.Dispose(disposing);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.LimitFull, LogLevel.Warning,
            "The limit {Limit} counts {Most} callers on this replica, as many as it may: further ones share {Shared} counts until some of these end",
            EventName = nameof(EventIds.LimitFull))]
        public static partial void Full(ILogger logger, string limit, int most, int shared);
    }
}
