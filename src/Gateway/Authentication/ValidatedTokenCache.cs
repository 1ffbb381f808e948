using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>The cache key of a token: its scheme and the full SHA-256 hash of the token. The token itself is not kept.</summary>
internal readonly record struct TokenKey(string Scheme, UInt128 HashStart, UInt128 HashEnd)
{
    private const int LongestOnStack = 2048;

    public static TokenKey Of(string scheme, ReadOnlySpan<char> token)
    {
        var rented = token.Length > LongestOnStack / 3 ? ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(token.Length)) : null;
        var utf8 = rented ?? stackalloc byte[LongestOnStack];
        utf8 = utf8[..Encoding.UTF8.GetBytes(token, utf8)];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8, hash);
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented, clearArray: true);
        return new(scheme, BitConverter.ToUInt128(hash), BitConverter.ToUInt128(hash[16..]));
    }

    public override int GetHashCode() => HashStart.GetHashCode();
}

/// <summary>
/// Caches successful token validations, so that a signature is checked once and not with every request. An entry is valid until its token expires, for five
/// minutes at most, and only while its issuer's keys are the ones that it was checked with. After that the token is checked again. Refusals are not cached
/// here: <see cref="AuthenticationThrottle"/> counts them. The cache is bounded in bytes. When it is full, it evicts tokens of the issuer that takes the most
/// memory, least recently used first. So one issuer's tokens, however many and long, cannot push out those of others.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="mostBytes">The most memory that the cache takes, in bytes.</param>
internal sealed class ValidatedTokenCache(TimeProvider time, long mostBytes)
{
    private const long MostBytes = 64 * 1024 * 1024;

    // A token that takes more than 1/100 of the cache is not cached: it is checked with every request instead.
    private const int LeastTokens = 100;

    // An eviction skips at most this many entries that were used since they were last skipped.
    private const int MostPassedOver = 8;

    private static readonly TimeSpan s_longestKept = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<TokenKey, ValidatedToken> _tokens = new();
    private readonly Dictionary<string, Shelf> _shelves = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _bytes;

    public ValidatedTokenCache(TimeProvider time)
        : this(time, Math.Min(MostBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8))
    {
    }

    public int Count => _tokens.Count;

    /// <summary>The approximate memory use, in bytes.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>The cached result of a token; null when the token has to be checked.</summary>
    public ValidatedToken? Find(TokenKey key)
    {
        if (!_tokens.TryGetValue(key, out var known) || known.IsRevoked || time.GetElapsedTime(known.CheckedAt) >= known.KeptFor) return null;
        if (time.GetUtcNow() is var now && (now < known.From || known.ExpiresAt <= now)) return null;
        if (!known.IsUsed) known.IsUsed = true;
        return known;
    }

    /// <summary>Whether a token was valid at an earlier check, even if it has to be checked again.</summary>
    public bool WasGood(TokenKey key) => _tokens.TryGetValue(key, out var known) && !known.IsRevoked && time.GetUtcNow() < known.ExpiresAt;

    /// <summary>Whether a token was valid at an earlier check, and was not at a later one.</summary>
    public bool IsRevoked(TokenKey key) => _tokens.TryGetValue(key, out var known) && known.IsRevoked;

    /// <summary>Records that a token is not valid any more, before it has expired.</summary>
    public void Revoke(TokenKey key)
    {
        if (_tokens.TryGetValue(key, out var known)) known.IsRevoked = true;
    }

    /// <summary>The caller that a token had at its last check, for some time after that check's result is no longer used; null when it is not known.</summary>
    public CallerIdentity? CallerOf(TokenKey key, TimeSpan afterwards) =>
        _tokens.TryGetValue(key, out var known) && time.GetElapsedTime(known.CheckedAt) - known.KeptFor < afterwards ? known.Caller : null;

    /// <summary>Caches the result of a token.</summary>
    /// <param name="key">The token's cache key.</param>
    /// <param name="result">The scheme's successful result.</param>
    /// <param name="caller">The token's caller, with its validity period.</param>
    /// <param name="keys">The issuer's keys that it was checked with.</param>
    /// <param name="keptFor">The time after which the token is checked again.</param>
    public void Add(TokenKey key, AuthenticateResult result, CallerIdentity caller, BaseConfiguration keys, TimeSpan? keptFor = null)
    {
        var now = time.GetUtcNow();
        // A token is still accepted within the clock skew after its expiry, but it is not cached.
        if (caller.ExpiresAt <= now) return;
        var entry = new ValidatedToken(Task.FromResult(result), keys, caller, time.GetTimestamp(), keptFor ?? s_longestKept);
        if (entry.Size > mostBytes / LeastTokens) return;
        lock (_lock)
        {
            if (!_shelves.TryGetValue(key.Scheme, out var shelf)) _shelves[key.Scheme] = shelf = new();
            while (shelf.Keys.TryPeek(out var oldest) && _tokens[oldest].ExpiresAt <= now) Remove(shelf);
            // A token that was checked again keeps its place in the queue.
            if (_tokens.TryGetValue(key, out var before))
            {
                shelf.Bytes -= before.Size;
                _bytes -= before.Size;
                entry.IsUsed = true;
            }
            else
            {
                shelf.Keys.Enqueue(key);
            }

            _tokens[key] = entry;
            shelf.Bytes += entry.Size;
            _bytes += entry.Size;
            while (_bytes > mostBytes) Evict(_shelves.Values.MaxBy(static each => each.Bytes)!, now);
        }
    }

    private void Evict(Shelf shelf, DateTimeOffset now)
    {
        for (var passedOver = 0; passedOver < MostPassedOver; passedOver++)
        {
            if (!shelf.Keys.TryPeek(out var oldest) || _tokens[oldest] is not { IsUsed: true } entry || entry.ExpiresAt <= now) break;
            entry.IsUsed = false;
            shelf.Keys.Enqueue(shelf.Keys.Dequeue());
        }

        Remove(shelf);
    }

    private void Remove(Shelf shelf)
    {
        if (!_tokens.TryRemove(shelf.Keys.Dequeue(), out var entry)) return;
        shelf.Bytes -= entry.Size;
        _bytes -= entry.Size;
    }

    /// <summary>The tokens of one issuer, each once, oldest first.</summary>
    private sealed class Shelf
    {
        public Queue<TokenKey> Keys { get; } = new();

        public long Bytes { get; set; }
    }
}

/// <summary>A token that its scheme validated.</summary>
/// <param name="result">The scheme's result, the same object for every request.</param>
/// <param name="keys">The issuer's keys that it was checked with.</param>
/// <param name="caller">The token's caller, with its validity period.</param>
/// <param name="checkedAt">The time of the check, as a timestamp.</param>
/// <param name="keptFor">The time after which it is checked again, if it has not expired before.</param>
internal sealed class ValidatedToken(Task<AuthenticateResult> result, BaseConfiguration keys, CallerIdentity caller, long checkedAt, TimeSpan keptFor)
{
    public Task<AuthenticateResult> Result => result;

    public BaseConfiguration Keys => keys;

    public CallerIdentity Caller => caller;

    public DateTimeOffset From => caller.NotBefore;

    public long CheckedAt => checkedAt;

    public TimeSpan KeptFor => keptFor;

    public DateTimeOffset ExpiresAt => caller.ExpiresAt;

    /// <summary>The approximate memory use, in bytes.</summary>
    public long Size { get; } = caller.Size;

    /// <summary>Whether a later check found that it is not valid any more.</summary>
    public bool IsRevoked { get; set; }

    /// <summary>Whether it was used since an eviction last skipped it.</summary>
    public bool IsUsed { get; set; }
}
