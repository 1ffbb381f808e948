using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Gateway.Routes;

/// <summary>Policies by their name, as they are published at the time: for what is no route, such as operators' actions.</summary>
internal sealed class PublishedPolicies(PublishedRoutes routes, IOptions<AuthorizationOptions> options) : DefaultAuthorizationPolicyProvider(options)
{
    /// <summary>What a route asks for stands on its endpoint, and is asked together once for each endpoint.</summary>
    public override bool AllowsCachingPolicies => true;

    public override Task<AuthorizationPolicy?> GetPolicyAsync(string policyName) => Task.FromResult(routes.Current.Policies.GetValueOrDefault(policyName));
}
