using System.Threading.RateLimiting;
using Gateway.Configuration;
using Gateway.Telemetry;
using IotCredentials.Failures;
using IotCredentials.Redis;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.RateLimiting;

/// <summary>
/// Counts limits in Redis, shared by all replicas. While Redis does not respond, each replica falls back to its local limiter, with the full limit. Callers are
/// still served; only requests that were in flight when Redis stopped responding have waited for it.
/// </summary>
internal sealed partial class RedisRateLimiterFallback : IAsyncDisposable
{
    // The limits' Redis keys begin with rl: and not with the key prefix.
    private const string Denied = "it does not permit the gateway's user the keys rl:* or a command of the limits (NOPERM)";

    private const string Missing = "it does not have a command of the limits";

    // The commands of the limiters' scripts. Their arguments leave nothing behind: Redis judges the rights before them.
    private static readonly Dictionary<RateLimitAlgorithm, string[]> s_commands = new()
    {
        [RateLimitAlgorithm.FixedWindow] = ["'GET',KEYS[1]", "'SET',KEYS[1],'','PX','1'", "'EXPIREAT',KEYS[1],'0'", "'INCRBY',KEYS[1],'none'"],
        [RateLimitAlgorithm.SlidingWindow] =
        [
            "'ZREMRANGEBYSCORE',KEYS[1],'-inf','0'", "'ZCARD',KEYS[1]", "'ZADD',KEYS[1],'none','none'", "'PEXPIREAT',KEYS[1],'0'",
            "'HINCRBY',KEYS[1],'none','none'", "'ZRANGE',KEYS[1],'0','0'",
        ],
        [RateLimitAlgorithm.TokenBucket] = ["'MGET',KEYS[1]", "'SET',KEYS[1],'','PX','1'"],
        [RateLimitAlgorithm.Concurrency] =
        [
            "'ZREMRANGEBYSCORE',KEYS[1],'-inf','0'", "'ZCARD',KEYS[1]", "'ZADD',KEYS[1],'none','none'", "'ZREM',KEYS[1],'none'",
            "'HINCRBY',KEYS[1],'none','none'",
        ],
    };

    private static readonly TimeSpan s_probeInterval = TimeSpan.FromMilliseconds(500);

    private const string NotResponding = "Redis does not respond";

    private readonly PartitionedRateLimiter<LimitKey> _local;
    private readonly Func<LimitKey, RateLimiter> _limiter;
    private readonly RedisCircuitBreaker _circuitBreaker = new(TimeProvider.System);
    private readonly RedisConnection? _redis;
    private readonly GatewayMetrics _metrics;
    private readonly ILogger<RedisRateLimiterFallback> _logger;

    // The Environment.TickCount64 since which this replica uses its local limiter; 0 while it counts in Redis.
    private long _fallbackSince;
    private long _probeAt;

    public RedisRateLimiterFallback(
        InProcessLimiterFactory local,
        SharedRedis redis,
        IOptions<IotCredentialsOptions> module,
        GatewayMetrics metrics,
        ILogger<RedisRateLimiterFallback> logger)
    {
        _local = PartitionedRateLimiter.Create<LimitKey, LimitKey>(local.Partition);
        _redis = redis.Connection;
        _metrics = metrics;
        _logger = logger;
        var prefix = module.Value.Cache.KeyPrefix + "limit:";
        _limiter = key => new RedisRateLimiter(this, key, prefix);
    }

    private bool IsInFallback => Volatile.Read(ref _fallbackSince) != 0;

    public RateLimitPartition<LimitKey> Partition(LimitKey key) => RateLimitPartition.Get(key, _limiter);

    /// <summary>Acquires a lease of the limit shared by all replicas, or of the local limiter while Redis does not respond.</summary>
    public async ValueTask<RateLimitLease> TakeAsync(RedisRateLimiter limit)
    {
        if (!IsInFallback && await TryTakeAsync(limit) is { } lease) return lease;
        if (IsInFallback) ProbeInBackground(limit);
        _metrics.LimitFellBack(limit.Key.Name);
        return _local.AttemptAcquire(limit.Key);
    }

    /// <summary>Finds out why Redis does not let the gateway's user count limits of these algorithms, and how to fix that; null when it does.</summary>
    public static async Task<string?> FindProblemAsync(IConnectionMultiplexer redis, IEnumerable<RateLimitAlgorithm> algorithms)
    {
        foreach (var command in algorithms.SelectMany(static algorithm => s_commands[algorithm]).Distinct())
        {
            var name = command.Split('\'')[1];
            try
            {
                await redis.GetDatabase().ScriptEvaluateAsync($"return redis.call({command})", ["rl:probe"]);
            }
            catch (RedisServerException e) when (IsDenied(e))
            {
                return $"{Denied}: {name}: run the second ACL SETUSER of docs/redis.md";
            }
            catch (RedisServerException e) when (IsMissing(e))
            {
                return $"{Missing}: {name}: give it back under its own name in Redis: it is renamed or disabled";
            }
            catch (RedisServerException)
            {
                // It may run the command, and refuses the arguments.
            }
        }

        return null;
    }

    // Within a script, the error has no code of its own. Its words depend on the version of Redis and Valkey.
    private static bool IsDenied(Exception error) => error is RedisServerException
        && (error.Message.StartsWith("NOPERM", StringComparison.Ordinal)
            || error.Message.Contains("The user executing the script", StringComparison.Ordinal)
            || error.Message.Contains("ACL failure in script", StringComparison.Ordinal));

    private static bool IsMissing(Exception error) =>
        error is RedisServerException && error.Message.Contains("Unknown Redis command", StringComparison.OrdinalIgnoreCase);

    private static string CauseOf(Exception error) => error is not RedisServerException ? NotResponding
        : $"Redis takes no counts: {(IsDenied(error) ? Denied : IsMissing(error) ? Missing : $"it responds with the error {FailureText.Kinds(error)}")}";

    // Probe with the limiter's own script: a full Redis responds to a ping but takes no counts.
    private void ProbeInBackground(RedisRateLimiter limit)
    {
        var (now, at) = (Environment.TickCount64, Volatile.Read(ref _probeAt));
        if (now >= at && Interlocked.CompareExchange(ref _probeAt, now + (long)s_probeInterval.TotalMilliseconds, at) == at) _ = ProbeAsync();

        async Task ProbeAsync() => (await TryTakeAsync(limit))?.Dispose();
    }

    private async Task<RateLimitLease?> TryTakeAsync(RedisRateLimiter limit)
    {
        var (begun, timestamp) = (Environment.TickCount64, TimeProvider.System.GetTimestamp());
        try
        {
            // Redis is set: validation rejects a limit with Store Redis and no connection string.
            if (await _redis!.ConnectedAsync() is not { } redis)
            {
                EnterFallback(NotResponding);
                return null;
            }

            var lease = await WithinTimeoutAsync(limit.TakeAsync(redis), redis);
            _circuitBreaker.OnSuccess();
            LeaveFallback(begun);
            return lease;
        }
        catch (Exception e)
        {
            Log.NotCounted(_logger, FailureText.Kinds(e));
            _circuitBreaker.OnTimeout(timestamp);
            if (_circuitBreaker.IsOpen) EnterFallback(CauseOf(e));
            return null;
        }
    }

    // The client looks for commands that have timed out at its heartbeat, and can miss one. A lease that comes too late is released.
    private static async Task<RateLimitLease> WithinTimeoutAsync(Task<RateLimitLease> taking, IConnectionMultiplexer redis)
    {
        try
        {
            return await taking.WaitAsync(TimeSpan.FromMilliseconds(redis.TimeoutMilliseconds));
        }
        catch (TimeoutException)
        {
            _ = taking.ContinueWith(
                static late =>
                {
                    if (late.IsCompletedSuccessfully) late.Result.Dispose();
                    else _ = late.Exception;
                },
                TaskScheduler.Default);
            throw;
        }
    }

    private void EnterFallback(string cause)
    {
        var now = Environment.TickCount64;
        if (Interlocked.CompareExchange(ref _fallbackSince, now, 0) != 0) return;
        Volatile.Write(ref _probeAt, now + (long)s_probeInterval.TotalMilliseconds);
        Log.Fallback(_logger, cause);
    }

    private void LeaveFallback(long begun)
    {
        // Ignore a response to a call from before the fallback: it does not show that Redis responds now.
        var since = Volatile.Read(ref _fallbackSince);
        if (since != 0 && begun >= since && Interlocked.CompareExchange(ref _fallbackSince, 0, since) == since) Log.Restored(_logger);
    }

    public ValueTask DisposeAsync() => _local.DisposeAsync();

    private static partial class Log
    {
        [LoggerMessage(EventIds.LimitsFallback, LogLevel.Warning,
            "{Cause}: this replica counts the limits with Store Redis for itself, "
            + "so that all replicas together let through up to as many times the limit as there are",
            EventName = nameof(EventIds.LimitsFallback))]
        public static partial void Fallback(ILogger logger, string cause);

        [LoggerMessage(EventIds.LimitsRestored, LogLevel.Information, "Redis responds: the limits with Store Redis are counted over all replicas again",
            EventName = nameof(EventIds.LimitsRestored))]
        public static partial void Restored(ILogger logger);

        [LoggerMessage(EventIds.LimitNotCounted, LogLevel.Debug, "Redis did not take a count ({Kind})", EventName = nameof(EventIds.LimitNotCounted))]
        public static partial void NotCounted(ILogger logger, string kind);
    }
}
