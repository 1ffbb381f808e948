using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace IotCredentials.Caching;

/// <summary>
/// Seals every entry on its way to Redis and binds it to its whole Redis key. That key ends in the id of the sealing key, so that replicas with different
/// sealing keys do not overwrite the entries that the others read.
/// </summary>
/// <param name="redis">Redis.</param>
/// <param name="read">Reads an entry. It throws <see cref="InvalidDataException"/> instead of loading one that is too long.</param>
/// <param name="keyPrefix">The prefix that <paramref name="redis"/> puts before every key.</param>
/// <param name="sealer">Seals and opens.</param>
/// <param name="onRejected">Called with the Redis key of an entry that is not what was sealed there.</param>
internal sealed class SealedDistributedCache(
    IDistributedCache redis, Func<string, Task<byte[]?>> read, string keyPrefix, Sealer sealer, Action<string> onRejected)
{
    public async Task<byte[]?> GetAsync(string key)
    {
        foreach (var name in NamesOf(key))
        {
            try
            {
                if (Open(name, await read(name), out var isForged) is { } value) return value;
                // Remove a forged entry, so that it is logged once and not at every read.
                if (isForged) await redis.RemoveAsync(name);
            }
            catch (Exception e) when (IsOfAnotherType(e) || e is InvalidDataException)
            {
                // A value of another type under our key can be neither read nor overwritten.
                onRejected(keyPrefix + name);
                await redis.RemoveAsync(name);
            }
        }

        return null;
    }

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        var name = NamesOf(key).First();
        return redis.SetAsync(name, sealer.Seal(keyPrefix + name, value), options);
    }

    public async Task RemoveAsync(string key)
    {
        foreach (var name in NamesOf(key)) await redis.RemoveAsync(name);
    }

    /// <summary>The name in Redis, without the prefix, of an entry that is sealed with the given sealing key.</summary>
    public static string NameOf(string key, string sealingKeyId) => $"{key}.{sealingKeyId}";

    /// <summary>Whether a command failed because the value under its key has another type.</summary>
    public static bool IsOfAnotherType(Exception e) => e is RedisServerException && e.Message.Contains("WRONGTYPE", StringComparison.Ordinal);

    private IEnumerable<string> NamesOf(string key) => sealer.KeyIds.Select(id => NameOf(key, id));

    private byte[]? Open(string name, byte[]? entry, out bool isForged)
    {
        var value = sealer.Open(keyPrefix + name, entry, out _);
        // The name ends in the id of a key that this replica has, so even an entry of an unknown key was put there.
        isForged = value is null && entry is not null;
        if (isForged) onRejected(keyPrefix + name);
        return value;
    }
}
