using System.Globalization;
using IotCredentials.Profiles;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace IotCredentials.Http;

/// <summary>A caller's request for credentials.</summary>
/// <param name="Profile">The profile to vend with.</param>
/// <param name="Organization">The organization that the credentials are for.</param>
/// <param name="Minimum">The minimum lifetime that the caller requests; null if it requests none.</param>
internal readonly record struct CredentialQuery(ProfileTemplate Profile, OrganizationId Organization, TimeSpan? Minimum);

/// <summary>
/// GET only (405), a well-formed organization id (422), a <c>minimumLifetime</c> that the profile can satisfy (422). 503 if a reload removed the route's profile.
/// </summary>
internal sealed class CredentialQueryRule(string profileName) : IRequestPrecondition
{
    private const string MinimumLifetime = "minimumLifetime";

    public int? Check(HttpContext context) => Read(context, out _);

    /// <summary>Reads the request. Returns the status to refuse it with, or null if it is valid.</summary>
    public int? Read(HttpContext context, out CredentialQuery request)
    {
        request = default;
        // Over HTTP/2 a WebSocket is a CONNECT, even if a host changes its method. It cannot have a response with a length.
        if (!HttpMethods.IsGet(context.Request.Method) || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true })
        {
            context.Response.Headers.Allow = HttpMethods.Get;
            ErrorReason.Set(context, ErrorReason.Method);
            return StatusCodes.Status405MethodNotAllowed;
        }

        var profiles = RouteOrganization.ProfilesOf(context);
        if (!profiles.Has(profileName))
        {
            ErrorReason.Set(context, ErrorReason.VendUnavailable);
            return StatusCodes.Status503ServiceUnavailable;
        }

        if (RouteOrganization.Of(context) is not { } organization || profiles.Find(profileName, organization) is not { } profile)
        {
            ErrorReason.Set(context, ErrorReason.OrganizationId);
            return StatusCodes.Status422UnprocessableEntity;
        }

        if (!TryReadMinimum(context.Request, profile, out var asked))
        {
            ErrorReason.Set(context, ErrorReason.MinimumLifetime);
            return StatusCodes.Status422UnprocessableEntity;
        }

        request = new(profile, organization, asked);
        return null;
    }

    // Null if the caller requests no minimum. False if its value is not a number of seconds that the profile can satisfy.
    private static bool TryReadMinimum(HttpRequest request, ProfileTemplate profile, out TimeSpan? asked)
    {
        asked = null;
        if (!request.QueryString.HasValue || !request.Query.TryGetValue(MinimumLifetime, out var values)) return true;
        if (values is not [{ Length: > 0 } text] || text.AsSpan().ContainsAnyExceptInRange('0', '9')) return false;
        // The longest session is 12 hours, so a number that does not fit an int is beyond it as well.
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
        asked = TimeSpan.FromSeconds(seconds);
        return asked <= profile.LongestMinimumLifetime;
    }
}
