using System.Threading.RateLimiting;
using CredentialModule;
using CredentialModule.Caching;
using Gateway.Telemetry;
using Microsoft.Extensions.Options;
using StackExchange.Redis;
using FailureText = CredentialModule.Telemetry.FailureText;

namespace Gateway.RateLimiting;

/// <summary>
/// Limits that replicas count together in Redis. While Redis does not answer, each replica counts for itself, up to the full limit: callers
/// are served on, and only those whose request was under way when Redis fell silent have waited for it.
/// </summary>
internal sealed partial class SharedLimits : IAsyncDisposable
{
    // They begin with rl: and not with the key prefix.
    private const string KeysDenied = "it does not permit the gateway's user the keys rl:* of the limits (NOPERM)";

    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromMilliseconds(500);

    private const string Silent = "Redis does not answer";

    private readonly PartitionedRateLimiter<LimitKey> _local;
    private readonly Func<LimitKey, RateLimiter> _limiter;
    private readonly RedisSilence _silence = new();
    private readonly CredentialCache _cache;
    private readonly GatewayMetrics _metrics;
    private readonly ILogger<SharedLimits> _logger;

    // By Environment.TickCount64. Replicas count apart since then; 0: they count together.
    private long _apartSince;
    private long _askAgainAt;

    public SharedLimits(LocalLimits local, CredentialCache cache, IOptions<IotCredentialsOptions> module, GatewayMetrics metrics, ILogger<SharedLimits> logger)
    {
        _local = PartitionedRateLimiter.Create<LimitKey, LimitKey>(local.Partition);
        _cache = cache;
        _metrics = metrics;
        _logger = logger;
        var prefix = module.Value.Cache.KeyPrefix + "limit:";
        _limiter = key => new SharedLimit(this, key, prefix);
    }

    private bool IsApart => Volatile.Read(ref _apartSince) != 0;

    public RateLimitPartition<LimitKey> Partition(LimitKey key) => RateLimitPartition.Get(key, _limiter);

    /// <summary>A lease of all replicas' limit, or of this one's own while Redis does not answer.</summary>
    public async ValueTask<RateLimitLease> TakeAsync(SharedLimit limit)
    {
        if (!IsApart && await AskAsync(limit) is { } lease) return lease;
        if (IsApart) AskInPassing(limit);
        _metrics.LimitFellBack(limit.Key.Name);
        return _local.AttemptAcquire(limit.Key);
    }

    /// <summary>Finds out why Redis does not let the gateway's user count a limit, and what to do about it; null when it does.</summary>
    public static async Task<string?> FindProblemAsync(IConnectionMultiplexer redis)
    {
        try
        {
            await redis.GetDatabase().ScriptEvaluateAsync("return 1", ["rl:probe"]);
            return null;
        }
        catch (RedisServerException e) when (IsDenied(e))
        {
            return $"{KeysDenied}: grant ~rl:* by ACL SETUSER, as docs/troubleshooting.md shows";
        }
    }

    private static bool IsDenied(Exception error) => error is RedisServerException && error.Message.StartsWith("NOPERM", StringComparison.Ordinal);

    // What is asked is the script itself: a Redis that is full answers a ping and takes no count.
    private void AskInPassing(SharedLimit limit)
    {
        var (now, at) = (Environment.TickCount64, Volatile.Read(ref _askAgainAt));
        if (now >= at && Interlocked.CompareExchange(ref _askAgainAt, now + (long)AskAgainAfter.TotalMilliseconds, at) == at) _ = AskAsync();

        async Task AskAsync() => (await this.AskAsync(limit))?.Dispose();
    }

    private async Task<RateLimitLease?> AskAsync(SharedLimit limit)
    {
        var begun = Environment.TickCount64;
        try
        {
            // A limit with Store Redis and no connection string is refused with its configuration.
            if (await _cache.Redis!.ConnectedAsync() is not { } redis)
            {
                CountApart(Silent);
                return null;
            }

            var lease = await limit.TakeAsync(redis);
            _silence.Answered();
            CountTogether(begun);
            return lease;
        }
        catch (Exception e)
        {
            Log.NotCounted(_logger, FailureText.Kinds(e));
            _silence.NotAnswered(begun);
            if (_silence.IsLeftAlone) CountApart(IsDenied(e) ? $"Redis takes no counts: {KeysDenied}" : Silent);
            return null;
        }
    }

    private void CountApart(string cause)
    {
        var now = Environment.TickCount64;
        if (Interlocked.CompareExchange(ref _apartSince, now, 0) != 0) return;
        Volatile.Write(ref _askAgainAt, now + (long)AskAgainAfter.TotalMilliseconds);
        Log.Apart(_logger, cause);
    }

    private void CountTogether(long begun)
    {
        // An answer that was on its way when Redis fell silent says nothing of it now.
        var since = Volatile.Read(ref _apartSince);
        if (since != 0 && begun >= since && Interlocked.CompareExchange(ref _apartSince, 0, since) == since) Log.Together(_logger);
    }

    public ValueTask DisposeAsync() => _local.DisposeAsync();

    private static partial class Log
    {
        [LoggerMessage(EventIds.LimitsApart, LogLevel.Warning,
            "{Cause}: this replica counts the limits with Store Redis for itself, so that all replicas together let through up to as many times the limit as there are")]
        public static partial void Apart(ILogger logger, string cause);

        [LoggerMessage(EventIds.LimitsTogether, LogLevel.Information, "Redis answers: the limits with Store Redis are counted over all replicas again")]
        public static partial void Together(ILogger logger);

        [LoggerMessage(EventIds.LimitNotCounted, LogLevel.Debug, "Redis did not take a count ({Kind})")]
        public static partial void NotCounted(ILogger logger, string kind);
    }
}
