using IotCredentials.Failures;
using IotCredentials.Redis;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Caching.StackExchangeRedis;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace IotCredentials.Caching;

/// <summary>
/// A cache with two levels: this process's memory and, if configured, Redis. It only stores: the reader decides from the entry itself how long it is valid.
/// A replica does not learn what others write until it reads Redis. No method throws because of Redis.
/// </summary>
internal sealed class CredentialCache : IDisposable
{
    // Clocks of replicas differ by less.
    internal static readonly TimeSpan LongestAhead = TimeSpan.FromMinutes(5);

    // Longer than an entry with the longest session token, each of whose characters JSON may escape.
    private const int LongestEntry = 128 * 1024;

    // RedisCache would load a value of any length, and up to 512 MB of the times beside it. The sealed value has its own times.
    private const string ReadBounded = """
        local data = redis.call('HGET', KEYS[1], 'data')
        if data and #data > tonumber(ARGV[1]) then return #data end
        return data
        """;

    private readonly MemoryCache _memory;
    private readonly SealedDistributedCache? _shared;
    private readonly string _prefix;
    private readonly CredentialMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<CredentialCache> _logger;

    public CredentialCache(
        IOptions<IotCredentialsOptions> module, IOptions<SharedCacheOptions> shared, SharedRedis redis, IHostEnvironment host, CredentialMetrics metrics,
        TimeProvider time, ILogger<CredentialCache> logger)
    {
        var prefix = _prefix = module.Value.Cache.KeyPrefix;
        _metrics = metrics;
        _time = time;
        _logger = logger;
        _memory = new MemoryCache(new MemoryCacheOptions { SizeLimit = module.Value.Cache.MaxEntries, Clock = new MemoryClock(time) });
        GenerationsKey = prefix + "forgotten";
        EntryPrefix = prefix + WireKeyOf("");
        if (redis.Connection is not { } connection)
        {
            Log.NothingShared(_logger);
            return;
        }

        Sealer = new Sealer(KeysOf(shared.Value, host));
        Redis = connection;
        _shared = new SealedDistributedCache(
            new RedisCache(new RedisCacheOptions { ConnectionMultiplexerFactory = Redis.GetAsync, InstanceName = prefix }),
            ReadBoundedAsync, prefix, Sealer, OnEntryRejected);
    }

    /// <summary>The connection to the Redis that replicas share; null without Redis.</summary>
    public RedisConnection? Redis { get; }

    /// <summary>Seals the entries that replicas share; null without Redis.</summary>
    public Sealer? Sealer { get; }

    /// <summary>The key of the generations in Redis, and the channel of their notices.</summary>
    public string GenerationsKey { get; }

    /// <summary>The prefix of the keys of all entries in Redis.</summary>
    public string EntryPrefix { get; }

    /// <summary>The SCAN pattern that finds all entries.</summary>
    public string EntryPattern => string.Concat(EntryPrefix.Select(static c => c is '*' or '?' or '[' or ']' or '\\' or '^' ? $"\\{c}" : $"{c}")) + "*";

    /// <summary>The key in Redis of an entry that is sealed with the given sealing key.</summary>
    public static string RedisKeyOf(string prefix, string key, string sealingKeyId) => prefix + SealedDistributedCache.NameOf(WireKeyOf(key), sealingKeyId);

    private RedisKey RedisKeyOf(string key) => RedisKeyOf(_prefix, key, Sealer!.KeyIds[0]);

    private static SealingKeys KeysOf(SharedCacheOptions shared, IHostEnvironment host)
    {
        const string Remedy = "Write the path of a file with a key that `openssl rand -base64 32` makes.";
        if (shared.SealingKeyPath is not { } path)
            throw new StartupException(
                $"Sealing:KeyPath is missing: what is kept in Redis is sealed. {Remedy} Or, to share nothing through the ConnectionStrings:Redis of this host: "
                + "builder.Services.Configure<SharedCacheOptions>(shared => shared.Redis = null).");
        try
        {
            return SealingKeys.Read(Path.Combine(host.ContentRootPath, path));
        }
        catch (InvalidDataException e)
        {
            throw new StartupException($"Sealing:KeyPath: {e.Message}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A key that was pasted in place of its path is not repeated.
            throw new StartupException($"Sealing:KeyPath names a file that cannot be read ({FailureText.Kinds(e)}). {Remedy}");
        }
    }

    private static string WireKeyOf(string key) => SharedEntry<object>.KeyPrefix + key;

    /// <summary>Reads an entry from this process's memory. Never waits.</summary>
    public T? ReadLocal<T>(string key) where T : class => _memory.TryGetValue(key, out var value) ? value as T : null;

    /// <summary>Reads an entry from Redis into memory, unless memory has a newer one; null also if Redis does not respond.</summary>
    public async Task<T?> ReadSharedAsync<T>(string key, Func<T, T, bool> isNewer) where T : class
    {
        if (Redis is null) return null;
        var entry = await Redis.RunAsync(RedisKeyOf(key), _ => _shared!.GetAsync(WireKeyOf(key)));
        if (SharedEntry<T>.Deserialize(entry, _time.GetUtcNow(), out var lifetime) is not { } value) return null;
        // A Redis that took no writes for a time has an older entry than the replica that renewed it.
        if (ReadLocal<T>(key) is { } known && !isNewer(value, known)) return known;
        WriteLocal(key, value, lifetime);
        return value;
    }

    /// <summary>
    /// Stores an entry in both levels for <paramref name="lifetime"/>. Other replicas can read it when this returns, unless Redis does not respond.
    /// </summary>
    public async Task WriteAsync<T>(string key, T value, TimeSpan lifetime) where T : class
    {
        if (lifetime <= TimeSpan.Zero) return;
        WriteLocal(key, value, lifetime);
        if (Redis is null) return;
        await Redis.RunAsync(RedisKeyOf(key), async _ =>
        {
            var kept = new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = lifetime };
            await _shared!.SetAsync(WireKeyOf(key), SharedEntry<T>.Serialize(value, _time.GetUtcNow(), lifetime), kept);
            return true;
        });
    }

    /// <summary>Removes an entry from both levels.</summary>
    public async Task RemoveAsync(string key)
    {
        _memory.Remove(key);
        if (Redis is null) return;
        await Redis.RunAsync(RedisKeyOf(key), async _ =>
        {
            await _shared!.RemoveAsync(WireKeyOf(key));
            return true;
        });
    }

    /// <summary>
    /// Whether an entry's time is ahead of this clock: it was written before a clock was set back, or by a replica whose clock is ahead. Such an entry is not
    /// used, because by this clock it would be used for that much longer.
    /// </summary>
    public bool IsAhead(DateTimeOffset at) => at - _time.GetUtcNow() >= LongestAhead;

    /// <summary>Waits for the lock on a key across all replicas; null without Redis, or if Redis does not respond.</summary>
    public async Task<RedisLock?> LockAsync(string key, TimeSpan patience, Func<Task<bool>> isNeedless) =>
        Redis is null ? null : await Redis.LockAsync(key, patience, isNeedless);

    /// <summary>Counts and logs an entry that is not what was sealed there. Only its key is logged, never its content.</summary>
    public void OnEntryRejected(string redisKey)
    {
        _metrics.EntriesRejected(1);
        Log.EntryRefused(_logger, redisKey);
    }

    /// <summary>
    /// Counts and logs generations that are not what was sealed there. Their names are not logged, because a client with access to Redis chose them.
    /// </summary>
    public void OnGenerationsRejected(int count)
    {
        _metrics.EntriesRejected(count);
        Log.GenerationsRefused(_logger, count, GenerationsKey);
    }

    private async Task<byte[]?> ReadBoundedAsync(string name)
    {
        var database = (await Redis!.GetAsync()).GetDatabase();
        var result = await database.ScriptEvaluateAsync(ReadBounded, [(RedisKey)(_prefix + name)], [LongestEntry]);
        return result.Resp2Type == ResultType.Integer ? throw new InvalidDataException() : (byte[]?)result;
    }

    private void WriteLocal<T>(string key, T value, TimeSpan lifetime) =>
        _memory.Set(key, value, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = lifetime });

    public void Dispose() => _memory.Dispose();
}
