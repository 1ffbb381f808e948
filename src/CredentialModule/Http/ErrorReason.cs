using Microsoft.AspNetCore.Http;

namespace IotCredentials.Http;

/// <summary>
/// Why a request was refused or failed, in a word for logs and metrics: a feature of the request. The words are few and never come from a request. Callers do not
/// see them.
/// </summary>
/// <param name="word">The word; empty if it is not known.</param>
public sealed class ErrorReason(string word)
{
    /// <summary>The path's organization is none of the caller's.</summary>
    public const string Organization = "organization";

    /// <summary>The organization directory does not know the organization.</summary>
    public const string OrganizationUnknown = "organization_unknown";

    /// <summary>The organization id of the path is malformed.</summary>
    public const string OrganizationId = "organization_id";

    /// <summary>The profile has sessions of a caller, and the caller's token does not name one.</summary>
    public const string CallerClaims = "caller_claims";

    /// <summary><c>minimumLifetime</c> is no number of seconds that the profile can give.</summary>
    public const string MinimumLifetime = "minimum_lifetime";

    /// <summary>The method is not allowed.</summary>
    public const string Method = "method";

    /// <summary>The caller is not authenticated.</summary>
    public const string NoToken = "no_token";

    /// <summary>The caller does not meet the route's policy.</summary>
    public const string Policy = "policy";

    /// <summary>The route has no policy.</summary>
    public const string NoPolicy = "no_policy";

    /// <summary>Begins the word of a failed vend.</summary>
    public const string VendPrefix = "vend:";

    internal const string VendThrottled = VendPrefix + "throttled";
    internal const string VendRefused = VendPrefix + "refused";
    internal const string VendTooShort = VendPrefix + "too_short";
    internal const string VendCredentials = VendPrefix + "credentials";
    internal const string VendUnavailable = VendPrefix + "unavailable";
    internal const string VendTimeout = VendPrefix + "timeout";

    /// <summary>The word; empty if it is not known.</summary>
    public string Word => word;

    /// <summary>Sets the reason of a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="word">The word.</param>
    public static void Set(HttpContext context, string word) => context.Features.Set(new ErrorReason(word));
}
