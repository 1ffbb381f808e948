using System.Collections.Frozen;
using System.Security.Claims;

namespace Gateway.Authentication;

/// <summary>
/// Who calls: an issuer's subject (never a subject alone), and what its token says, already read by the settings of its own scheme.
/// </summary>
internal sealed class CallerIdentity(ClaimsIdentity validated) : ClaimsIdentity(validated)
{
    public required string Scheme { get; init; }
    public required string Issuer { get; init; }
    public required string Subject { get; init; }
    public required DateTimeOffset NotBefore { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
    public required FrozenSet<string> Organizations { get; init; }
    public required FrozenSet<string> Roles { get; init; }
    public required FrozenSet<string> Scopes { get; init; }

    public static CallerIdentity? Of(ClaimsPrincipal principal) => principal.Identity as CallerIdentity;
}
