using System.Diagnostics;
using CredentialModule.Telemetry;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Caching.StackExchangeRedis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ZiggyCreatures.Caching.Fusion;
using ZiggyCreatures.Caching.Fusion.Backplane.StackExchangeRedis;
using ZiggyCreatures.Caching.Fusion.Serialization.SystemTextJson;

namespace CredentialModule.Caching;

/// <summary>
/// Two levels: this process's memory, and Redis when there is one, kept in step by a backplane. It only keeps: how long an entry is good for
/// is the reader's to judge, from the entry itself. Nothing here ever throws at a reader for Redis's sake.
/// </summary>
internal sealed partial class CredentialCache : IAsyncDisposable
{
    private static readonly TimeSpan BackplaneBreak = TimeSpan.FromSeconds(2);

    // An entry's own time ends it; a read must not end it any sooner.
    private static readonly TimeSpan LongestKept = TimeSpan.FromDays(8);

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
                BackplaneCircuitBreakerDuration = BackplaneBreak,
                BackplaneChannelPrefix = module.Value.Cache.KeyPrefix,
                // Every key is a hash over what it stands for; nothing else is kept here.
                MissingCacheKeyPrefixWarningLogLevel = LogLevel.None,
                // It is about value tuples, of which nothing here is made.
                SerializationConfigIssuesLogLevel = LogLevel.None,
                // A connection that is lost is said once, by RedisConnection; every command that fails meanwhile is no news.
                DistributedCacheErrorsLogLevel = LogLevel.Debug,
                DistributedCacheSyntheticTimeoutsLogLevel = LogLevel.Debug,
                BackplaneErrorsLogLevel = LogLevel.Debug,
                BackplaneSyntheticTimeoutsLogLevel = LogLevel.Debug,
            },
            _memory,
            new KindsLogger<FusionCache>(loggers.CreateLogger<FusionCache>()));
        _localOnly = Entry(LongestKept).SetSkipDistributedCache(true, true);
        _sharedOnly = Entry(LongestKept).SetSkipMemoryCacheRead();

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
                new RedisCache(new RedisCacheOptions { ConnectionMultiplexerFactory = Redis.GetAsync, InstanceName = prefix }), prefix, Sealer, Refused),
            new FusionCacheSystemTextJsonSerializer());
        _ = FollowAsync(Redis);
    }

    /// <summary>The connection that replicas share; null when there is none.</summary>
    public RedisConnection? Redis { get; }

    /// <summary>Seals what replicas share; null when they share nothing.</summary>
    public Sealer? Sealer { get; }

    /// <summary>The key in Redis of what was forgotten, and the channel of its notices.</summary>
    public string ForgottenKey { get; }

    /// <summary>What the keys of all entries in Redis begin with.</summary>
    public string EntryPrefix { get; }

    /// <summary>The pattern of SCAN that finds them.</summary>
    public string EntryPattern => string.Concat(EntryPrefix.Select(static c => c is '*' or '?' or '[' or ']' or '\\' or '^' ? $"\\{c}" : $"{c}")) + "*";

    /// <summary>The key of an entry in Redis, if the sealing key of an id seals it.</summary>
    public static string RedisKeyOf(string prefix, string key, string sealingKeyId) => prefix + SealedDistributedCache.NameOf(WireKeyOf(key), sealingKeyId);

    /// <summary>The key that the cache puts into Redis for one of ours, below the prefix.</summary>
    public static string WireKeyOf(string key) =>
        $"{FusionCacheOptions.DistributedCacheWireFormatVersion}{FusionCacheInternalStrings.DefaultDistributedCacheWireFormatSeparator}{key}";

    /// <summary>What this process has in memory. Never waits.</summary>
    public T? ReadLocal<T>(string key) where T : class => _cache.TryGet<T>(key, _localOnly).GetValueOrDefault();

    /// <summary>What Redis holds, taken into memory; null as well when it does not answer.</summary>
    public async Task<T?> ReadSharedAsync<T>(string key) where T : class
    {
        while (Redis is not null && !Redis.Silence.IsLeftAlone)
        {
            var (began, begun) = (Environment.TickCount64, Stopwatch.GetTimestamp());
            var found = await _cache.TryGetAsync<T>(key, _sharedOnly);
            // A miss that took as long as a command may take was none.
            if (found.HasValue || Stopwatch.GetElapsedTime(begun) < 0.9 * _commandTimeout)
            {
                Redis.Silence.Answered();
                return found.GetValueOrDefault();
            }

            Redis.Silence.NotAnswered(began);
        }

        return null;
    }

    /// <summary>Keeps an entry in both levels for <paramref name="lifetime"/>. Other replicas can read it when this returns, unless Redis does not answer.</summary>
    public async Task WriteAsync<T>(string key, T value, TimeSpan lifetime) where T : class
    {
        if (lifetime <= TimeSpan.Zero) return;
        var options = Entry(lifetime);
        // What cannot be written now is written behind, as soon as Redis is back.
        options.AllowBackgroundDistributedCacheOperations = Redis is null || Redis.Silence.IsLeftAlone;
        await _cache.SetAsync(key, value, options);
    }

    /// <summary>Removes an entry from both levels.</summary>
    public async Task RemoveAsync(string key) => await _cache.RemoveAsync(key);

    /// <summary>Waits for the lock on a key over all replicas; null if there is nobody to share it with.</summary>
    public async Task<RedisLock?> LockAsync(string key, TimeSpan patience, Func<Task<bool>> isNeedless) =>
        Redis is null ? null : await Redis.LockAsync(key, patience, isNeedless);

    /// <summary>Counts and logs an entry that is not what was sealed there. Its key alone: never its content.</summary>
    public void Refused(string redisKey)
    {
        _metrics.EntriesRefused(1);
        Log.EntryRefused(_logger, redisKey);
    }

    /// <summary>Counts and logs marks that are not what was sealed there. Their names are whatever somebody wrote into Redis, and are not logged.</summary>
    public void MarksRefused(int count)
    {
        _metrics.EntriesRefused(count);
        Log.MarksRefused(_logger, count, ForgottenKey);
    }

    // Not before notices can be received: the backplane tries a few times only, and logs each as an error with its stack trace.
    private async Task FollowAsync(RedisConnection redis)
    {
        await redis.CanSubscribe;
        // It has no log: a notice that cannot be read is a stack trace there, and anybody who can publish in Redis can send one.
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
            "Security: the entry {RedisKey} in Redis is not what this gateway sealed under that key (moved, edited or forged). It was not used")]
        public static partial void EntryRefused(ILogger logger, string redisKey);

        [LoggerMessage(EventIds.MarksRefused, LogLevel.Error,
            "Security: {Count} of the fields of {RedisKey} in Redis are not what this gateway sealed there (moved, edited or forged). They were not used")]
        public static partial void MarksRefused(ILogger logger, int count, string redisKey);

        [LoggerMessage(EventIds.NothingShared, LogLevel.Warning,
            "ConnectionStrings:Redis is not set: credentials are cached in this process only and not shared between replicas")]
        public static partial void NothingShared(ILogger logger);
    }
}
