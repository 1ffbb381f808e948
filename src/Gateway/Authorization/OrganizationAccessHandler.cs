using Gateway.Authentication;
using IotCredentials.Http;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>Checks membership: the organization, given as the resource or by the route, must be one of those in the caller's token.</summary>
internal sealed class OrganizationAccessHandler : AuthorizationHandler<OrganizationAccessRequirement>
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OrganizationAccessRequirement requirement)
    {
        var organization = context.Resource switch
        {
            OrganizationId id => id,
            HttpContext http => RouteOrganization.Of(http),
            _ => null,
        };
        if (organization is not null && CallerIdentity.Of(context.User) is { } caller && caller.Organizations.Contains(organization.Value))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
