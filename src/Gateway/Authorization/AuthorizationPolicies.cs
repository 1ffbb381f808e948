using CredentialModule;
using Gateway.Configuration;
using Microsoft.AspNetCore.Authorization;

namespace Gateway.Authorization;

/// <summary>The policies that routes name. What names none still needs an authenticated caller.</summary>
internal static class AuthorizationPolicies
{
    public static AuthorizationPolicy AnyCaller { get; } = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build();

    public static void AddPolicies(this WebApplicationBuilder builder, GatewayOptions options)
    {
        var authorization = builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(AnyCaller);
        foreach (var (name, policy) in options.Authorization.Policies) authorization.AddPolicy(name, Build(policy));
        builder.Services.AddSingleton<IAuthorizationHandler, OrganizationAccessHandler>();
        builder.Services.AddSingleton<IAuthorizationMiddlewareResultHandler, EdgeAuthorizationResult>();
    }

    /// <summary>The policy that an operator wrote: all of it must hold.</summary>
    public static AuthorizationPolicy Build(AuthorizationPolicyOptions options)
    {
        var policy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser();
        if (options.RequireOrganization) policy.AddRequirements(OrganizationAccessRequirement.Instance);
        AddAnyOf("scopes", options.Scopes, static (caller, scopes) => caller.Scopes.Overlaps(scopes));
        AddAnyOf("roles", options.Roles, static (caller, roles) => caller.Roles.Overlaps(roles));
        AddAnyOf("schemes", options.Schemes, static (caller, schemes) => schemes.Contains(caller.Scheme, StringComparer.Ordinal));
        return policy.Build();

        void AddAnyOf(string what, IReadOnlyList<string> values, Func<Authentication.CallerIdentity, IReadOnlyList<string>, bool> isMet)
        {
            if (values.Count > 0) policy.AddRequirements(new CallerRequirement($"any of the {what} {string.Join(", ", values)}", caller => isMet(caller, values)));
        }
    }
}
