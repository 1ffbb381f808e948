using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace CredentialModule.Caching;

/// <summary>
/// Seals every entry on its way to Redis (AES-256-GCM) and binds it to its key: an entry that was moved, swapped, edited or forged does not
/// open and is a miss. Layout: version (1), key id (4), nonce (12), tag (16), ciphertext; the associated data is the version, the key id
/// and the whole Redis key.
/// </summary>
internal sealed class SealedDistributedCache(IDistributedCache redis, string keyPrefix, SealingKeys keys, Action<string> refused) : IDistributedCache
{
    private const byte Version = 1;
    private const int Header = 1 + 4;
    private const int NonceSize = 12;
    private const int TagSize = 16;

    public byte[]? Get(string key) => Guarded(key, () => Open(key, redis.Get(key)), () => redis.Remove(key));

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
    {
        try
        {
            return Open(key, await redis.GetAsync(key, token));
        }
        catch (RedisServerException e) when (IsOfAnotherType(e))
        {
            // Left alone, a value of another type under our key could be neither read nor overwritten.
            refused(keyPrefix + key);
            await redis.RemoveAsync(key, token);
            return null;
        }
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => redis.Set(key, Seal(key, value), options);

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) =>
        redis.SetAsync(key, Seal(key, value), options, token);

    public void Refresh(string key) => redis.Refresh(key);

    public Task RefreshAsync(string key, CancellationToken token = default) => redis.RefreshAsync(key, token);

    public void Remove(string key) => redis.Remove(key);

    public Task RemoveAsync(string key, CancellationToken token = default) => redis.RemoveAsync(key, token);

    private static bool IsOfAnotherType(RedisServerException e) => e.Message.Contains("WRONGTYPE", StringComparison.Ordinal);

    private byte[]? Guarded(string key, Func<byte[]?> read, Action remove)
    {
        try
        {
            return read();
        }
        catch (RedisServerException e) when (IsOfAnotherType(e))
        {
            refused(keyPrefix + key);
            remove();
            return null;
        }
    }

    private byte[] Seal(string key, byte[] value)
    {
        var (id, secret) = keys.First;
        var entry = new byte[Header + NonceSize + TagSize + value.Length];
        entry[0] = Version;
        BinaryPrimitives.WriteUInt32BigEndian(entry.AsSpan(1), id);
        var nonce = entry.AsSpan(Header, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(secret, TagSize);
        cipher.Encrypt(nonce, value, entry.AsSpan(Header + NonceSize + TagSize), entry.AsSpan(Header + NonceSize, TagSize), Bound(key, entry));
        return entry;
    }

    private byte[]? Open(string key, byte[]? entry)
    {
        // Another version, or a key that is no longer (or not yet) in the file, is what a rolling update leaves behind: a plain miss.
        if (entry is null || entry.Length < Header + NonceSize + TagSize || entry[0] != Version) return null;
        if (keys.Find(BinaryPrimitives.ReadUInt32BigEndian(entry.AsSpan(1))) is not { } secret) return null;

        var value = new byte[entry.Length - Header - NonceSize - TagSize];
        using var cipher = new AesGcm(secret, TagSize);
        try
        {
            cipher.Decrypt(
                entry.AsSpan(Header, NonceSize), entry.AsSpan(Header + NonceSize + TagSize), entry.AsSpan(Header + NonceSize, TagSize), value, Bound(key, entry));
            return value;
        }
        catch (AuthenticationTagMismatchException)
        {
            refused(keyPrefix + key);
            return null;
        }
    }

    private byte[] Bound(string key, ReadOnlySpan<byte> entry) => [.. entry[..Header], .. Encoding.UTF8.GetBytes(keyPrefix + key)];
}
