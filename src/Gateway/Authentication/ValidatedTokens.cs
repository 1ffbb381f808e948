using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Caching.Memory;
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
}

/// <summary>
/// What schemes found good, so that a signature is checked once and not with every request. An entry ends with its token, or after five
/// minutes, and at once when its issuer's keys are others than those it was checked with. Refusals are not kept.
/// </summary>
/// <param name="time">Now.</param>
/// <param name="mostTokens">How many are kept at the most; of more, those that were not used for the longest time go.</param>
internal sealed class ValidatedTokens(TimeProvider time, int mostTokens = ValidatedTokens.MostTokens) : IDisposable
{
    // Of about 4 KB each.
    private const int MostTokens = 20_000;
    private static readonly TimeSpan LongestKept = TimeSpan.FromMinutes(5);

    private readonly MemoryCache _tokens = new(new MemoryCacheOptions { SizeLimit = mostTokens });

    public int Count => _tokens.Count;

    /// <summary>What was found of a token; null when it has to be checked.</summary>
    public ValidatedToken? Find(TokenKey key) =>
        _tokens.TryGetValue(key, out ValidatedToken? known) && time.GetUtcNow() is var now && known!.From <= now && now < known.Until ? known : null;

    /// <summary>Keeps what was found of a token.</summary>
    /// <param name="key">The token.</param>
    /// <param name="result">The scheme's success.</param>
    /// <param name="caller">Whose it is, and from when to when it holds.</param>
    /// <param name="keys">The issuer's keys that it was checked with.</param>
    public void Add(TokenKey key, AuthenticateResult result, CallerIdentity caller, BaseConfiguration keys)
    {
        var now = time.GetUtcNow();
        var until = caller.ExpiresAt - now < LongestKept ? caller.ExpiresAt : now + LongestKept;
        // Within the clocks' tolerance after its end a token is still taken, and checked each time.
        if (until <= now) return;
        _tokens.Set(key, new ValidatedToken(Task.FromResult(result), keys, caller.NotBefore, until), new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = until - now });
    }

    public void Dispose() => _tokens.Dispose();
}

/// <summary>A token that a scheme found good.</summary>
/// <param name="Result">The scheme's answer, the same object for every request.</param>
/// <param name="Keys">The issuer's keys that it was checked with.</param>
/// <param name="From">The token's <c>nbf</c>.</param>
/// <param name="Until">The token's <c>exp</c>, or when it is to be checked again.</param>
internal sealed record ValidatedToken(Task<AuthenticateResult> Result, BaseConfiguration Keys, DateTimeOffset From, DateTimeOffset Until);
