using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;

namespace Gateway.Routes;

/// <summary>Policies by their name, as they are published at the time: for what is no route, such as operators' actions.</summary>
internal sealed class PublishedPolicies(PublishedRoutes routes, IOptions<AuthorizationOptions> options) : DefaultAuthorizationPolicyProvider(options)
{
    public override Task<AuthorizationPolicy?> GetPolicyAsync(string policyName) => Task.FromResult(routes.Current.Policies.GetValueOrDefault(policyName));
}
