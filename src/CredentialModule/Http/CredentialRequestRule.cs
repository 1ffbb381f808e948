using System.Globalization;
using CredentialModule.Profiles;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace CredentialModule.Http;

/// <summary>What a caller asks for.</summary>
/// <param name="Profile">How it is vended.</param>
/// <param name="Organization">Whose credentials.</param>
/// <param name="Minimum">How long they are to live at the least; null when the caller does not say.</param>
internal readonly record struct CredentialRequest(Profile Profile, OrganizationId Organization, TimeSpan? Minimum);

/// <summary>GET only (405), a well-formed organization id (422), a <c>minimumLifetime</c> that the profile can promise (422).</summary>
internal sealed class CredentialRequestRule(string profileName) : IRequestRule
{
    private const string MinimumLifetime = "minimumLifetime";

    public int? Refuse(HttpContext context) => Read(context, out _);

    /// <summary>Reads what is asked for; the status to refuse the request with, or null when there is nothing to refuse.</summary>
    public int? Read(HttpContext context, out CredentialRequest request)
    {
        request = default;
        // Over HTTP/2 a WebSocket is a CONNECT, whatever a host makes of its method: there is no response with a length to it.
        if (!HttpMethods.IsGet(context.Request.Method) || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true })
        {
            context.Response.Headers.Allow = HttpMethods.Get;
            return StatusCodes.Status405MethodNotAllowed;
        }

        if (RouteOrganization.Of(context) is not { } organization
            || RouteOrganization.ProfilesOf(context).Find(profileName, organization) is not { } profile
            || !TryReadMinimum(context.Request, profile, out var asked)) return StatusCodes.Status422UnprocessableEntity;

        request = new(profile, organization, asked);
        return null;
    }

    // Null when the caller asks for none. False when what it wrote is no number of seconds that the profile can promise.
    private static bool TryReadMinimum(HttpRequest request, Profile profile, out TimeSpan? asked)
    {
        asked = null;
        if (!request.QueryString.HasValue || !request.Query.TryGetValue(MinimumLifetime, out var values)) return true;
        if (values is not [{ Length: > 0 } text] || text.AsSpan().ContainsAnyExceptInRange('0', '9')) return false;
        // The longest session is 12 hours, so a number that does not fit an int is beyond it as well.
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        asked = TimeSpan.FromSeconds(seconds);
        return asked <= profile.LongestFloor;
    }
}
