using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace CredentialModule.Caching;

/// <summary>Seals every entry on its way to Redis, bound to its whole Redis key.</summary>
internal sealed class SealedDistributedCache(IDistributedCache redis, string keyPrefix, Sealer sealer) : IDistributedCache
{
    public byte[]? Get(string key)
    {
        try
        {
            return sealer.Open(keyPrefix + key, redis.Get(key));
        }
        catch (RedisServerException e) when (IsOfAnotherType(e))
        {
            sealer.Refuse(keyPrefix + key);
            redis.Remove(key);
            return null;
        }
    }

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        try
        {
            return sealer.Open(keyPrefix + key, await redis.GetAsync(key, token));
        }
        catch (RedisServerException e) when (IsOfAnotherType(e))
        {
            // Left alone, a value of another type under our key could be neither read nor overwritten.
            sealer.Refuse(keyPrefix + key);
            await redis.RemoveAsync(key, token);
            return null;
        }
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => redis.Set(key, sealer.Seal(keyPrefix + key, value), options);

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
        redis.SetAsync(key, sealer.Seal(keyPrefix + key, value), options, token);

    public void Refresh(string key) => redis.Refresh(key);

    public Task RefreshAsync(string key, CancellationToken token = default) => redis.RefreshAsync(key, token);

    public void Remove(string key) => redis.Remove(key);

    public Task RemoveAsync(string key, CancellationToken token = default) => redis.RemoveAsync(key, token);

    private static bool IsOfAnotherType(RedisServerException e) => e.Message.Contains("WRONGTYPE", StringComparison.Ordinal);
}
