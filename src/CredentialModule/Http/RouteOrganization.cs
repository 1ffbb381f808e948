using IotCredentials.Profiles;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace IotCredentials.Http;

/// <summary>The organization of a request.</summary>
public static class RouteOrganization
{
    /// <summary>The route parameter that holds the id.</summary>
    public const string Parameter = "organizationId";

    /// <summary>The organization that the route's path names; null when it names none.</summary>
    public static OrganizationId? Of(HttpContext context) =>
        ProfilesOf(context).OrganizationIds.TryParse(context.GetRouteValue(Parameter) as string, out var organization) ? organization : null;

    /// <summary>
    /// The profiles that the request's endpoint was built with, so that one configuration applies from the route match to the response; else those in effect.
    /// </summary>
    public static ProfileSet ProfilesOf(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<ProfileSet>() ?? context.RequestServices.GetRequiredService<IProfileProvider>().Current;
}
