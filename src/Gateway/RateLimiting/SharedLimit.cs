using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using StackExchange.Redis;

namespace Gateway.RateLimiting;

/// <summary>One partition of a limit in Redis. It has nothing to lose: the count is there.</summary>
internal sealed class SharedLimit(SharedLimits limits, LimitKey key, string keyPrefix) : RateLimiter
{
    private static readonly RateLimitLease s_notWithoutWaiting = new SharedLease.Refused(TimeSpan.Zero);

    private readonly RedisKey _redisKey = $"{keyPrefix}{key.Name}:{Digest(key)}";
    private long _lastUsed = Stopwatch.GetTimestamp();

    public override TimeSpan? IdleDuration => Stopwatch.GetElapsedTime(Volatile.Read(ref _lastUsed));

    public override RateLimiterStatistics? GetStatistics() => null;

    // Asked first, by a middleware that then asks again and waits.
    protected override RateLimitLease AttemptAcquireCore(int permitCount) => s_notWithoutWaiting;

    protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        Volatile.Write(ref _lastUsed, Stopwatch.GetTimestamp());
        return limits.TakeAsync(key, _redisKey);
    }

    // Of the options too: while replicas are replaced one by one, those with another limit have another count.
    private static string Digest(LimitKey key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{key.Options.Algorithm} {key.Options.PartitionBy} {key.Options.PermitLimit} {key.Options.Window.Ticks}\n{key.Partition}")));
}
