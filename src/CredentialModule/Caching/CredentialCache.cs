using System.Diagnostics;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Caching.StackExchangeRedis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Backplane.StackExchangeRedis;
using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

namespace IotCredentials.Caching;

/// <summary>
/// A cache with two levels: this process's memory and, if configured, Redis, synchronized by a backplane. It only stores: the reader decides from the entry
/// itself how long it is valid. A read never throws because of Redis.
/// </summary>
internal sealed partial class CredentialCache : IAsyncDisposable
{
    private static readonly TimeSpan s_backplaneBreak = TimeSpan.FromSeconds(2);

    // Longer than any entry's own lifetime, which must not be shortened by a read.
    private static readonly TimeSpan s_longestKept = TimeSpan.FromDays(8);

    private readonly FusionCache _cache;
    private readonly MemoryCache _memory;
    private readonly FusionCacheEntryOptions _localOnly;
    private readonly FusionCacheEntryOptions _sharedOnly;
    private readonly TimeSpan _commandTimeout;
    private readonly CredentialMetrics _metrics;
    private readonly ILogger<CredentialCache> _logger;

    public CredentialCache(
        IOptions<IotCredentialsOptions> module, IOptions<SharedCacheOptions> shared, IHostEnvironment host, CredentialMetrics metrics, TimeProvider time,
        ILoggerFactory loggers)
    {
        _metrics = metrics;
        _commandTimeout = SharedCacheOptions.CommandTimeout(module.Value);
        _logger = loggers.CreateLogger<CredentialCache>();
        _memory = new MemoryCache(new MemoryCacheOptions { SizeLimit = module.Value.Cache.MaxEntries });
        _cache = new FusionCache(
            new FusionCacheOptions
            {
                CacheName = "IotCredentials",
                DisableTagging = true,
                BackplaneCircuitBreakerDuration = s_backplaneBreak,
                BackplaneChannelPrefix = module.Value.Cache.KeyPrefix,
                // Keys need no prefix: each is a hash over all its inputs, and the cache holds nothing else.
                MissingCacheKeyPrefixWarningLogLevel = LogLevel.None,
                // The warning is about value tuples, and no entry has one.
                SerializationConfigIssuesLogLevel = LogLevel.None,
                // RedisConnection logs a lost connection once. The commands that fail until it is back add no information.
                DistributedCacheErrorsLogLevel = LogLevel.Debug,
                DistributedCacheSyntheticTimeoutsLogLevel = LogLevel.Debug,
                BackplaneErrorsLogLevel = LogLevel.Debug,
                BackplaneSyntheticTimeoutsLogLevel = LogLevel.Debug,
            },
            _memory,
            new ExceptionKindLogger<FusionCache>(loggers.CreateLogger<FusionCache>()));
        _localOnly = Entry(s_longestKept).SetSkipDistributedCache(true, true);
        _sharedOnly = Entry(s_longestKept).SetSkipMemoryCacheRead();

        ForgottenKey = module.Value.Cache.KeyPrefix + "forgotten";
        EntryPrefix = module.Value.Cache.KeyPrefix + WireKeyOf("");
        if (shared.Value.Redis is not { } connectionString)
        {
            Log.NothingShared(_logger);
            return;
        }

        var prefix = module.Value.Cache.KeyPrefix;
        var keys = SealingKeys.Read(Path.Combine(host.ContentRootPath, shared.Value.SealingKeyPath ?? throw new InvalidOperationException(
            "Sealing:KeyPath is missing: what is kept in Redis is sealed. Name a file of base64 256-bit keys.")));
        Sealer = new Sealer(keys);
        Redis = new RedisConnection(connectionString, module, metrics, time, loggers.CreateLogger<RedisConnection>());
        _cache.SetupDistributedCache(
            new SealedDistributedCache(
                new RedisCache(new RedisCacheOptions { ConnectionMultiplexerFactory = Redis.GetAsync, InstanceName = prefix }), prefix, Sealer, OnEntryRejected),
            new FusionCacheSystemTextJsonSerializer());
        _ = FollowAsync(Redis);
    }

    /// <summary>The connection to the Redis that replicas share; null without Redis.</summary>
    public RedisConnection? Redis { get; }

    /// <summary>Seals the entries that replicas share; null without Redis.</summary>
    public Sealer? Sealer { get; }

    /// <summary>The key of the generations in Redis, and the channel of their notices.</summary>
    public string ForgottenKey { get; }

    /// <summary>The prefix of the keys of all entries in Redis.</summary>
    public string EntryPrefix { get; }

    /// <summary>The SCAN pattern that finds all entries.</summary>
    public string EntryPattern => string.Concat(EntryPrefix.Select(static c => c is '*' or '?' or '[' or ']' or '\\' or '^' ? $"\\{c}" : $"{c}")) + "*";

    /// <summary>The key in Redis of an entry that is sealed with the given sealing key.</summary>
    public static string RedisKeyOf(string prefix, string key, string sealingKeyId) => prefix + SealedDistributedCache.NameOf(WireKeyOf(key), sealingKeyId);

    /// <summary>The key that FusionCache uses in Redis for one of ours, without the prefix.</summary>
    public static string WireKeyOf(string key) =>
        $"{FusionCacheOptions.DistributedCacheWireFormatVersion}{FusionCacheInternalStrings.DefaultDistributedCacheWireFormatSeparator}{key}";

    /// <summary>Reads an entry from this process's memory. Never waits.</summary>
    public T? ReadLocal<T>(string key) where T : class => _cache.TryGet<T>(key, _localOnly).GetValueOrDefault();

    /// <summary>Reads an entry from Redis into memory; null also if Redis does not respond.</summary>
    public async Task<T?> ReadSharedAsync<T>(string key) where T : class
    {
        while (Redis is not null && !Redis.Silence.IsOpen)
        {
            var (began, begun) = (Environment.TickCount64, Stopwatch.GetTimestamp());
            var found = await _cache.TryGetAsync<T>(key, _sharedOnly);
            // A miss that took at least 90 % of the command timeout was a timeout, which FusionCache reports as a miss.
            if (found.HasValue || Stopwatch.GetElapsedTime(begun) < 0.9 * _commandTimeout)
            {
                Redis.Silence.OnSuccess();
                return found.GetValueOrDefault();
            }

            Redis.Silence.OnTimeout(began);
        }

        return null;
    }

    /// <summary>
    /// Stores an entry in both levels for <paramref name="lifetime"/>. Other replicas can read it when this returns, unless Redis does not respond.
    /// </summary>
    public async Task WriteAsync<T>(string key, T value, TimeSpan lifetime) where T : class
    {
        if (lifetime <= TimeSpan.Zero) return;
        var options = Entry(lifetime);
        // If Redis cannot be used now, the entry is written in the background as soon as it is back.
        options.AllowBackgroundDistributedCacheOperations = Redis is null || Redis.Silence.IsOpen;
        await _cache.SetAsync(key, value, options);
    }

    /// <summary>Removes an entry from both levels.</summary>
    public async Task RemoveAsync(string key) => await _cache.RemoveAsync(key);

    /// <summary>Waits for the lock on a key across all replicas; null without Redis, or if Redis does not respond.</summary>
    public async Task<RedisLock?> LockAsync(string key, TimeSpan patience, Func<Task<bool>> isNeedless) =>
        Redis is null ? null : await Redis.LockAsync(key, patience, isNeedless);

    /// <summary>Counts and logs an entry that is not what was sealed there. Only its key is logged, never its content.</summary>
    public void OnEntryRejected(string redisKey)
    {
        _metrics.EntriesRefused(1);
        Log.EntryRefused(_logger, redisKey);
    }

    /// <summary>
    /// Counts and logs generations that are not what was sealed there. Their names are not logged, because a client with access to Redis chose them.
    /// </summary>
    public void GenerationsRefused(int count)
    {
        _metrics.EntriesRefused(count);
        Log.MarksRefused(_logger, count, ForgottenKey);
    }

    // Sets up the backplane when notices can be received: before that, it tries only a few times, and logs each failure as an error with its stack trace.
    private async Task FollowAsync(RedisConnection redis)
    {
        await redis.CanSubscribe;
        // The backplane has no logger: it logs a stack trace for a notice that it cannot read, and any client that can publish in Redis can send one.
        _cache.SetupBackplane(new RedisBackplane(new RedisBackplaneOptions { ConnectionMultiplexerFactory = redis.GetAsync }));
    }

    private FusionCacheEntryOptions Entry(TimeSpan duration) => new(duration)
    {
        Size = 1,
        DistributedCacheHardTimeout = _commandTimeout,
        AllowBackgroundBackplaneOperations = true,
    };

    public async ValueTask DisposeAsync()
    {
        _cache.Dispose();
        _memory.Dispose();
        if (Redis is not null) await Redis.DisposeAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.EntryRefused, LogLevel.Error,
            "Security: the entry {RedisKey} in Redis is not what this gateway sealed under that key (moved, edited or forged). It was not used",
            EventName = nameof(EventIds.EntryRefused))]
        public static partial void EntryRefused(ILogger logger, string redisKey);

        [LoggerMessage(EventIds.GenerationsRefused, LogLevel.Error,
            "Security: {Count} of the fields of {RedisKey} in Redis are not what this gateway sealed there (moved, edited or forged). They were not used",
            EventName = nameof(EventIds.GenerationsRefused))]
        public static partial void MarksRefused(ILogger logger, int count, string redisKey);

        [LoggerMessage(EventIds.NothingShared, LogLevel.Warning,
            "ConnectionStrings:Redis is not set: credentials are cached in this process only and not shared between replicas",
            EventName = nameof(EventIds.NothingShared))]
        public static partial void NothingShared(ILogger logger);
    }
}
