using IotCredentials.Profiles;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace IotCredentials.Http;

/// <summary>
/// An endpoint's precondition on a request's method, id and query. It is endpoint metadata, so that a host can run it between authentication and authorization:
/// 401 first, then 405 or 422, then 403.
/// </summary>
internal interface IRequestPrecondition
{
    /// <summary>The status to refuse the request with; null if it meets the precondition.</summary>
    int? Check(HttpContext context);
}

/// <summary>The organization of a request.</summary>
internal static class RouteOrganization
{
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
