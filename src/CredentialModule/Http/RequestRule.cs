using CredentialModule.Profiles;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace CredentialModule.Http;

/// <summary>
/// What an endpoint demands of a request's method, id and query. It is endpoint metadata, so that a host can ask it between authentication
/// and authorization: a caller learns first who it is not, then what is wrong with its request, then what it may not.
/// </summary>
internal interface IRequestRule
{
    /// <summary>The status to refuse the request with; null when there is nothing to refuse.</summary>
    int? Refuse(HttpContext context);
}

/// <summary>The organization of a request.</summary>
internal static class RouteOrganization
{
    public const string Parameter = "organizationId";

    /// <summary>The organization that the route's path names; null when it names none.</summary>
    public static OrganizationId? Of(HttpContext context) =>
        ProfilesOf(context).OrganizationIds.TryParse(context.GetRouteValue(Parameter) as string, out var organization) ? organization : null;

    /// <summary>The profiles that the request's endpoint was made with, so that a request meets one configuration from its match to its answer; else those in force.</summary>
    public static ProfileBook ProfilesOf(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<ProfileBook>() ?? context.RequestServices.GetRequiredService<ICurrentProfiles>().Current;
}
