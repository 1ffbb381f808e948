using CredentialModule;
using Gateway.Authentication;
using Gateway.Configuration;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>The policies that routes name. What names none still needs an authenticated caller.</summary>
internal static class AuthorizationPolicies
{
    public static void AddPolicies(this WebApplicationBuilder builder, GatewayOptions options)
    {
        var authorization = builder.Services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
        foreach (var (name, policy) in options.Authorization.Policies) authorization.AddPolicy(name, Build(policy));
        builder.Services.AddSingleton<IAuthorizationHandler, OrganizationAccessHandler>();
        builder.Services.AddSingleton<IAuthorizationMiddlewareResultHandler, EdgeAuthorizationResult>();
    }

    private static AuthorizationPolicy Build(AuthorizationPolicyOptions options)
    {
        var policy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser();
        if (options.RequireOrganization) policy.AddRequirements(OrganizationAccessRequirement.Instance);
        if (options.Scopes.Count > 0) policy.RequireAssertion(context => CallerIdentity.Of(context.User)?.Scopes.Overlaps(options.Scopes) ?? false);
        if (options.Roles.Count > 0) policy.RequireAssertion(context => CallerIdentity.Of(context.User)?.Roles.Overlaps(options.Roles) ?? false);
        return policy.Build();
    }
}
