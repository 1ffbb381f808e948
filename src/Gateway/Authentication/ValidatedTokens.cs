using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication;

/// <summary>A token to one scheme: the scheme and the whole SHA-256 of the token. The token itself is not kept.</summary>
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
/// The token cache: what schemes found good, so that a signature is checked once and not with every request. An entry serves until its token ends, or for five
/// minutes, and only while its issuer's keys are those that it was checked with; after that the token is checked again. Refusals are not kept here:
/// <see cref="FailedAuthentications"/> counts them.
/// It is bounded in bytes. When it is full, the issuer that takes the most room gives some up, the tokens first that were not used for the longest time: the
/// tokens of one issuer, however many and long, leave the others theirs.
/// </summary>
/// <param name="time">Now.</param>
/// <param name="mostBytes">How much memory it takes at most.</param>
internal sealed class ValidatedTokens(TimeProvider time, long mostBytes)
{
    private const long MostBytes = 64 * 1024 * 1024;

    // A token that would push out a hundred others is checked with every request instead.
    private const int LeastTokens = 100;

    // An eviction passes over so many entries that were used since they were last passed over.
    private const int MostPassedOver = 8;

    private static readonly TimeSpan s_longestKept = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<TokenKey, ValidatedToken> _tokens = new();
    private readonly Dictionary<string, Shelf> _shelves = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _bytes;

    public ValidatedTokens(TimeProvider time)
        : this(time, Math.Min(MostBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8))
    {
    }

    public int Count => _tokens.Count;

    /// <summary>About how much memory it takes, in bytes.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>What was found of a token; null when it has to be checked.</summary>
    public ValidatedToken? Find(TokenKey key)
    {
        if (!_tokens.TryGetValue(key, out var known) || time.GetUtcNow() is var now && (now < known.From || known.Until <= now)) return null;
        if (!known.IsUsed) known.IsUsed = true;
        return known;
    }

    /// <summary>Whether a token was found good before, though it may have to be checked again.</summary>
    public bool WasGood(TokenKey key) => _tokens.TryGetValue(key, out var known) && time.GetUtcNow() < known.ExpiresAt;

    /// <summary>Keeps what was found of a token.</summary>
    /// <param name="key">The token.</param>
    /// <param name="result">The scheme's success.</param>
    /// <param name="caller">Whose it is, and from when to when it holds.</param>
    /// <param name="keys">The issuer's keys that it was checked with.</param>
    public void Add(TokenKey key, AuthenticateResult result, CallerIdentity caller, BaseConfiguration keys)
    {
        var now = time.GetUtcNow();
        var until = caller.ExpiresAt - now < s_longestKept ? caller.ExpiresAt : now + s_longestKept;
        // Within the clocks' tolerance after its end a token is still taken, and checked each time.
        if (until <= now) return;
        var entry = new ValidatedToken(Task.FromResult(result), keys, caller, until);
        if (entry.Size > mostBytes / LeastTokens) return;
        lock (_lock)
        {
            if (!_shelves.TryGetValue(key.Scheme, out var shelf)) _shelves[key.Scheme] = shelf = new();
            while (shelf.Keys.TryPeek(out var oldest) && _tokens[oldest].ExpiresAt <= now) Remove(shelf);
            // A token that was checked again keeps its place.
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

    /// <summary>One issuer's tokens, each once, the oldest first.</summary>
    private sealed class Shelf
    {
        public Queue<TokenKey> Keys { get; } = new();

        public long Bytes { get; set; }
    }
}

/// <summary>A token that a scheme found good.</summary>
/// <param name="result">The scheme's answer, the same object for every request.</param>
/// <param name="keys">The issuer's keys that it was checked with.</param>
/// <param name="caller">Whose it is, and from when to when it holds.</param>
/// <param name="until">The token's <c>exp</c>, or when it is to be checked again.</param>
internal sealed class ValidatedToken(Task<AuthenticateResult> result, BaseConfiguration keys, CallerIdentity caller, DateTimeOffset until)
{
    public Task<AuthenticateResult> Result => result;

    public BaseConfiguration Keys => keys;

    public DateTimeOffset From => caller.NotBefore;

    public DateTimeOffset Until => until;

    public DateTimeOffset ExpiresAt => caller.ExpiresAt;

    /// <summary>About how much memory it takes, in bytes.</summary>
    public long Size { get; } = caller.Size;

    /// <summary>Whether it was used since an eviction last passed it over.</summary>
    public bool IsUsed { get; set; }
}
