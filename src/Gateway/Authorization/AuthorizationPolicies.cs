using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;

namespace Gateway.Authorization;

/// <summary>Builds the authorization policies that routes name.</summary>
internal static class AuthorizationPolicies
{
    /// <summary>The policy of a route that names none, or <c>Default</c>.</summary>
    public static AuthorizationPolicy AnyCaller { get; } = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build();

    /// <summary>The policy <c>Anonymous</c>.</summary>
    public static AuthorizationPolicy Anyone { get; } = new AuthorizationPolicyBuilder().RequireAssertion(static _ => true).Build();

    public static void AddPolicies(this WebApplicationBuilder builder)
    {
        // These framework services are stateless but registered as transient. As singletons they are not allocated per request. The metrics-recording variant
        // is left out: its counter repeats our 403 count.
        builder.Services.AddSingleton<IPolicyEvaluator, PolicyEvaluator>();
        builder.Services.AddSingleton<DefaultAuthorizationService>();
        builder.Services.AddSingleton<IAuthorizationService, CallerAuthorizationService>();
        builder.Services.AddSingleton<IAuthorizationHandlerProvider, DefaultAuthorizationHandlerProvider>();
        builder.Services.AddSingleton<IAuthorizationHandlerContextFactory, DefaultAuthorizationHandlerContextFactory>();
        builder.Services.AddSingleton<IAuthorizationEvaluator, DefaultAuthorizationEvaluator>();
        builder.Services.AddAuthorizationBuilder().SetFallbackPolicy(AnyCaller);
        builder.Services.AddSingleton<IAuthorizationHandler, OrganizationAccessHandler>();
        builder.Services.AddSingleton<IAuthorizationMiddlewareResultHandler, OrderedAuthorizationResultHandler>();
        builder.Services.AddSingleton(static services => new Admission(
            services.GetRequiredService<KnownCallers>(), (CallerAuthorizationService)services.GetRequiredService<IAuthorizationService>(),
            services.GetRequiredService<GatewayMetrics>()));
    }

    /// <summary>Builds a configured policy. A caller must meet all of its requirements.</summary>
    public static AuthorizationPolicy Build(AuthorizationPolicyOptions options)
    {
        var policy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser();
        if (options.RequireOrganization) policy.AddRequirements(OrganizationAccessRequirement.Instance);
        AddAnyOf(GatewayReason.Scopes, options.Scopes, static (caller, scopes) => caller.Scopes.Overlaps(scopes));
        AddAnyOf(GatewayReason.Roles, options.Roles, static (caller, roles) => caller.Roles.Overlaps(roles));
        AddAnyOf(GatewayReason.Schemes, options.Schemes, static (caller, schemes) => schemes.Contains(caller.Scheme, StringComparer.Ordinal));
        return policy.Build();

        void AddAnyOf(string what, IReadOnlyList<string> values, Func<CallerIdentity, IReadOnlyList<string>, bool> isMet)
        {
            if (values.Count > 0)
                policy.AddRequirements(new CallerRequirement(what, $"any of the {what} {string.Join(", ", values)}", caller => isMet(caller, values)));
        }
    }
}
