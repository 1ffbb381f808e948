using System.Globalization;
using System.Security.Claims;

namespace IotCredentials.Vending;

/// <summary>
/// The caller that requests credentials: its issuer, its subject and the expiration of its token, from the token's registered claims. JwtBearer renames
/// <c>sub</c> unless <c>MapInboundClaims</c> is off, so <see cref="ClaimTypes.NameIdentifier"/> is read as well.
/// </summary>
internal sealed record CallerClaims(string? Issuer, string? Subject, DateTimeOffset? TokenExpires)
{
    // The end of the year 9999. A claim in milliseconds is beyond it.
    private static readonly long s_latest = DateTimeOffset.MaxValue.ToUnixTimeSeconds();

    // The key is unique per caller: an issuer is a URI and holds no line feed.
    public string Key => $"{Issuer}\n{Subject}";

    /// <summary>What the caller lacks to own a session, and the remedy; null if nothing.</summary>
    public string? Problem => (Issuer, Subject, TokenExpires) switch
    {
        (not null, not null, not null) => null,
        (_, null, _) when SeveralCallers => "the caller's identities name different callers. "
            + "Give an identity that the host adds no sub and no ClaimTypes.NameIdentifier, or those of the caller, with its iss",
        (_, null, _) => "the caller has no claim sub, and not one ClaimTypes.NameIdentifier. "
            + "Let the authentication scheme keep sub (JwtBearer: MapInboundClaims = false) or add it",
        (null, _, _) => "the caller has no claim iss. Let the authentication scheme keep it or add it",
        _ => "the caller has no claim exp, with which its sessions end. Let the authentication scheme keep it or add it",
    };

    private bool SeveralCallers { get; init; }

    public static CallerClaims Of(ClaimsPrincipal user)
    {
        // Each of a principal's identities names a caller of its own: parts of two would name a third, and of two callers neither is certain.
        CallerClaims? found = null;
        foreach (var identity in user.Identities)
        {
            var caller = Of(identity);
            if (found?.Subject is null) found = caller;
            else if (caller.Subject is not null && caller.Key != found.Key) return new(null, null, null) { SeveralCallers = true };
        }

        return found ?? new(null, null, null);
    }

    private static CallerClaims Of(ClaimsIdentity identity)
    {
        var subject = identity.FindFirst("sub") ?? NameIdentifier(identity);
        return new(
            identity.FindFirst("iss")?.Value ?? (subject is { Issuer: not ClaimsIdentity.DefaultIssuer } ? subject.Issuer : null),
            subject?.Value,
            long.TryParse(identity.FindFirst("exp")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
                ? DateTimeOffset.FromUnixTimeSeconds(Math.Min(seconds, s_latest))
                : null);
    }

    // Null unless exactly one value has this name. Several claims are mapped to it, and with two different values neither is certain to be the subject.
    private static Claim? NameIdentifier(ClaimsIdentity identity)
    {
        var names = identity.FindAll(ClaimTypes.NameIdentifier).DistinctBy(static claim => claim.Value).Take(2).ToList();
        return names is [var name] ? name : null;
    }
}
