using CredentialModule.Http;
using CredentialModule.Profiles;
using Gateway.Configuration;

namespace Gateway.Forwarding;

/// <summary>Endpoint metadata: whoever gets here was found to be a member of the route's organization.</summary>
internal sealed class MembershipProven;

/// <summary>What every route whose path binds <c>{organizationId}</c> demands, whoever answers it.</summary>
internal static class OrganizationRoutes
{
    public static ReverseProxyConventionBuilder MapOrganizationRoutes(this ReverseProxyConventionBuilder endpoints, GatewayOptions options) =>
        endpoints.ConfigureEndpoints((endpoint, route) => endpoint.Add(builder =>
        {
            if (((RouteEndpointBuilder)builder).RoutePattern.GetParameter(RouteOrganization.Parameter) is null) return;
            if (!builder.Metadata.OfType<IRequestRule>().Any())
                builder.Metadata.Add(new OrganizationIdRule());
            if (route.AuthorizationPolicy is { } name && options.Authorization.Policies.GetValueOrDefault(name) is { RequireOrganization: true })
                builder.Metadata.Add(new MembershipProven());
        }));
}

/// <summary>A well-formed organization id (422).</summary>
internal sealed class OrganizationIdRule : IRequestRule
{
    public int? Refuse(HttpContext context) =>
        RouteOrganization.Of(context, context.RequestServices.GetRequiredService<CurrentProfiles>().Current.OrganizationIds) is null ? StatusCodes.Status422UnprocessableEntity : null;
}
