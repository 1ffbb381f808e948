using System.Globalization;
using CredentialModule.Profiles;
using Microsoft.AspNetCore.Http;

namespace CredentialModule.Http;

/// <summary>GET only (405), a well-formed organization id (422), a <c>minimumLifetime</c> that the profile can promise (422).</summary>
internal sealed class CredentialRequestRule(string profileName) : IRequestRule
{
    private const string MinimumLifetime = "minimumLifetime";

    public int? Refuse(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            context.Response.Headers.Allow = HttpMethods.Get;
            return StatusCodes.Status405MethodNotAllowed;
        }

        return RouteOrganization.Of(context) is { } organization
            && RouteOrganization.ProfilesOf(context).Find(profileName, organization) is { } profile
            && TryReadMinimum(context.Request, profile, out _)
                ? null
                : StatusCodes.Status422UnprocessableEntity;
    }

    /// <summary>Reads the life that a caller asks for; null when it asks for none. False when what it wrote is no number of seconds that the profile can promise.</summary>
    public static bool TryReadMinimum(HttpRequest request, Profile profile, out TimeSpan? asked)
    {
        asked = null;
        if (!request.Query.TryGetValue(MinimumLifetime, out var values)) return true;
        if (values is not [{ Length: > 0 } text] || text.AsSpan().ContainsAnyExceptInRange('0', '9')) return false;
        // The longest session is 12 hours, so a number that does not fit an int is beyond it as well.
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        asked = TimeSpan.FromSeconds(seconds);
        return asked <= profile.LongestFloor;
    }
}
