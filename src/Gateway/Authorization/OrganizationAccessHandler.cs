using CredentialModule;
using CredentialModule.Http;
using Gateway.Authentication;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>Membership: the organization, given as such or as the route's, is one of those that the caller's token names.</summary>
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
