using System.Globalization;
using System.Security.Claims;

namespace CredentialModule.Vending;

/// <summary>
/// The caller that asks for credentials: an issuer's subject, and until when its token is good, by the token's registered claims. JwtBearer
/// renames <c>sub</c> unless <c>MapInboundClaims</c> is off, so <see cref="ClaimTypes.NameIdentifier"/> is read as well.
/// </summary>
internal sealed record VendCaller(string? Issuer, string? Subject, DateTimeOffset? TokenExpires)
{
    // An issuer is a URI and holds no line feed: no two callers are one.
    public string Key => $"{Issuer}\n{Subject}";

    /// <summary>The claims that are not there, as an operator has to look for them; null when all are.</summary>
    public string? MissingClaims => (Issuer, Subject, TokenExpires) switch
    {
        (not null, not null, not null) => null,
        (_, null, _) => "sub (or ClaimTypes.NameIdentifier)",
        (null, _, _) => "iss",
        _ => "exp",
    };

    public static VendCaller Of(ClaimsPrincipal user)
    {
        var subject = user.FindFirst("sub") ?? NameIdentifier(user);
        return new(
            user.FindFirst("iss")?.Value ?? (subject is { Issuer: not ClaimsIdentity.DefaultIssuer } ? subject.Issuer : null),
            subject?.Value,
            long.TryParse(user.FindFirst("exp")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null);
    }

    // Several claims are mapped to this name. With two different values, neither is certain to be the subject.
    private static Claim? NameIdentifier(ClaimsPrincipal user)
    {
        var names = user.FindAll(ClaimTypes.NameIdentifier).DistinctBy(static claim => claim.Value).Take(2).ToList();
        return names is [var name] ? name : null;
    }
}
