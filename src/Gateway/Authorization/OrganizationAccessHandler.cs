using Gateway.Authentication;
using IotCredentials.Http;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>Checks membership: the organization, given as the resource or by the route, must be one of those in the caller's token.</summary>
internal sealed class OrganizationAccessHandler : AuthorizationHandler<OrganizationAccessRequirement>
{
    /// <summary>Whether an organization, given as the resource or by the route, is one of the caller's.</summary>
    public static bool IsMember(CallerIdentity caller, object? resource)
    {
        var organization = resource switch
        {
            OrganizationId id => id,
            HttpContext http => RouteOrganization.Of(http),
            _ => null,
        };
        return organization is not null && caller.Organizations.Contains(organization.Value);
    }

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, OrganizationAccessRequirement requirement)
    {
        if (CallerIdentity.Of(context.User) is { } caller && IsMember(caller, context.Resource)) context.Succeed(requirement);
        return Task.CompletedTask;
    }
}
