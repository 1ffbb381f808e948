using Gateway.Authorization;
using Gateway.Configuration;
using Gateway.Configuration.Rules;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Routes;

/// <summary>The routes of one configuration as YARP is given them, and the policies of that same configuration.</summary>
internal sealed class RouteTable : IProxyConfig
{
    // No operator's name holds a colon.
    private const string RevisionName = "gateway:revision";

    private readonly Dictionary<string, RouteConfig> _written;

    public RouteTable(Snapshot snapshot, int revision, Func<ClusterConfig, string> clusterId, IChangeToken changeToken)
    {
        Snapshot = snapshot;
        ChangeToken = changeToken;
        Policies = snapshot.Options.Authorization.Policies.ToDictionary(policy => policy.Key, policy => AuthorizationPolicies.Build(policy.Value), StringComparer.Ordinal);
        _written = snapshot.Routes.ToDictionary(route => route.RouteId, StringComparer.OrdinalIgnoreCase);
        var ids = snapshot.Clusters.ToDictionary(cluster => cluster.ClusterId, clusterId, StringComparer.OrdinalIgnoreCase);
        Clusters = [.. snapshot.Clusters.Select(cluster => cluster with { ClusterId = ids[cluster.ClusterId] })];
        Routes = [.. snapshot.Routes.Select(route => route with
        {
            ClusterId = route.ClusterId is null ? null : ids[route.ClusterId],
            // YARP would leave these to be found by name at each request, in whatever configuration is in force by then.
            AuthorizationPolicy = null,
            RateLimiterPolicy = null,
            CorsPolicy = null,
            // YARP makes an endpoint anew only for a route that changed itself; all are made of one configuration.
            Metadata = new Dictionary<string, string>(route.Metadata ?? new Dictionary<string, string>()) { [RevisionName] = $"{revision}" },
        })];
    }

    public Snapshot Snapshot { get; }

    public IReadOnlyDictionary<string, AuthorizationPolicy> Policies { get; }

    public IReadOnlyList<RouteConfig> Routes { get; }

    public IReadOnlyList<ClusterConfig> Clusters { get; }

    public IChangeToken ChangeToken { get; }

    /// <summary>A route as the operator wrote it.</summary>
    public RouteConfig Written(string routeId) => _written[routeId];

    /// <summary>The policy of a route; of one that names none, any authenticated caller.</summary>
    public AuthorizationPolicy PolicyOf(RouteConfig written) =>
        AuthorizationPolicyRules.IsAnonymous(written.AuthorizationPolicy) ? AuthorizationPolicies.Anyone
        : written.AuthorizationPolicy is { } name && Policies.TryGetValue(name, out var policy) ? policy
        : AuthorizationPolicies.AnyCaller;
}
