using System.Collections.Frozen;
using System.Globalization;
using System.Net;
using System.Security.Claims;

namespace Gateway.Authentication;

/// <summary>
/// The caller: its issuer and subject (never a subject alone), and what its token, or its API key, says of it. It keeps only the claims <c>iss</c>, <c>sub</c>
/// and <c>exp</c>, which the credential module reads.
/// </summary>
internal sealed class CallerIdentity : ClaimsIdentity
{
    /// <summary>The longest subject, in characters: counts and caches are kept by it. OpenID Connect Core 1.0, section 2, allows 255.</summary>
    public const int LongestSubject = 1024;

    // The memory of an identity without its strings: identity, claims, ticket, principal and cache entry. Measured at about 1.6 KB.
    private const int FixedBytes = 2048;
    private const int BytesOfString = 64;

    public CallerIdentity(string issuer, string subject, DateTimeOffset expiresAt)
        : base("Bearer")
    {
        (Issuer, Subject, ExpiresAt, Key) = (issuer, subject, expiresAt, $"{issuer}\n{subject}");
        AddClaim(new Claim("iss", issuer));
        AddClaim(new Claim("sub", subject));
        AddClaim(new Claim("exp", expiresAt.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), ClaimValueTypes.Integer64));
    }

    public string Issuer { get; }
    public string Subject { get; }
    public DateTimeOffset ExpiresAt { get; }

    /// <summary>Issuer and subject in one. An issuer contains no line feed, so no two callers share a key.</summary>
    public string Key { get; }

    public required string Scheme { get; init; }
    public required DateTimeOffset NotBefore { get; init; }
    public required FrozenSet<string> Organizations { get; init; }
    public required FrozenSet<string> Roles { get; init; }
    public required FrozenSet<string> Scopes { get; init; }

    /// <summary>The addresses that the caller may use; null: any.</summary>
    public IReadOnlyList<IPNetwork>? IpAllow { get; init; }

    /// <summary>Whether the caller has been taken back since it was authenticated; null when that cannot be known.</summary>
    public Func<bool>? IsRevoked { get; init; }

    /// <summary>The approximate memory use, in bytes.</summary>
    public long Size => FixedBytes + SizeOf(Issuer) + SizeOf(Subject) + SizeOf(Key) + Organizations.Sum(SizeOf) + Roles.Sum(SizeOf) + Scopes.Sum(SizeOf);

    public static CallerIdentity? Of(ClaimsPrincipal principal) => principal.Identity as CallerIdentity;

    private static long SizeOf(string text) => BytesOfString + (2L * text.Length);
}
