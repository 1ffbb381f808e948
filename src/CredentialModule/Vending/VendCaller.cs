using System.Globalization;
using System.Security.Claims;

namespace CredentialModule.Vending;

/// <summary>Who asks for credentials: an issuer's subject, and until when its token is good, by the token's registered claims.</summary>
internal sealed record VendCaller(string? Issuer, string? Subject, DateTimeOffset? TokenExpires)
{
    // An issuer is a URI and holds no line feed: no two callers are one.
    public string Key => $"{Issuer}\n{Subject}";

    public static VendCaller Of(ClaimsPrincipal user) => new(
        user.FindFirst("iss")?.Value,
        user.FindFirst("sub")?.Value,
        long.TryParse(user.FindFirst("exp")?.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null);
}
