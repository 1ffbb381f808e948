using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Gateway.Routes;

/// <summary>Finds policies of the current routes by name. It serves endpoints that are not routes, such as operators' actions.</summary>
internal sealed class SnapshotPolicies(SnapshotRoutes routes, IOptions<AuthorizationOptions> options) : DefaultAuthorizationPolicyProvider(options)
{
    /// <summary>A route's policy is attached to its endpoint, so the combined policy of an endpoint can be cached.</summary>
    public override bool AllowsCachingPolicies => true;

    public override Task<AuthorizationPolicy?> GetPolicyAsync(string policyName) => Task.FromResult(routes.Current.Policies.GetValueOrDefault(policyName));
}
