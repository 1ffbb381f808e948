using Gateway.Authorization;
using Gateway.Configuration.Rules.Identity;
using Gateway.Configuration.Snapshots;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Routes;

/// <summary>The routes of one configuration as they are passed to YARP, with the policies of the same configuration.</summary>
internal sealed class RouteTable : IProxyConfig
{
    // Metadata names set by an operator cannot contain a colon.
    private const string RevisionName = "gateway:revision";

    private readonly Dictionary<string, RouteConfig> _written;

    public RouteTable(Snapshot snapshot, int revision, Func<ClusterConfig, string> clusterId, IChangeToken changeToken)
    {
        Snapshot = snapshot;
        ChangeToken = changeToken;
        Policies = snapshot.Options.Authorization.Policies.ToDictionary(
            policy => policy.Key, policy => AuthorizationPolicies.Build(policy.Value), StringComparer.Ordinal);
        _written = snapshot.Routes.ToDictionary(route => route.RouteId, StringComparer.OrdinalIgnoreCase);
        var ids = snapshot.Clusters.ToDictionary(cluster => cluster.ClusterId, clusterId, StringComparer.OrdinalIgnoreCase);
        Clusters = [.. snapshot.Clusters.Select(cluster => cluster with { ClusterId = ids[cluster.ClusterId] })];
        Routes = [.. snapshot.Routes.Select(route => route with
        {
            ClusterId = route.ClusterId is null ? null : ids[route.ClusterId],
            // YARP would look these up by name for each request, in whichever configuration is then in effect.
            AuthorizationPolicy = null,
            RateLimiterPolicy = null,
            CorsPolicy = null,
            // YARP rebuilds an endpoint only if its own route changed. The revision makes YARP rebuild all of them, so that all endpoints belong to
            // one configuration.
            Metadata = new Dictionary<string, string>(route.Metadata ?? new Dictionary<string, string>()) { [RevisionName] = $"{revision}" },
        })];
    }

    public Snapshot Snapshot { get; }

    public IReadOnlyDictionary<string, AuthorizationPolicy> Policies { get; }

    public IReadOnlyList<RouteConfig> Routes { get; }

    public IReadOnlyList<ClusterConfig> Clusters { get; }

    public IChangeToken ChangeToken { get; }

    /// <summary>Returns a route as the operator wrote it.</summary>
    public RouteConfig Written(string routeId) => _written[routeId];

    /// <summary>Whether there is such a route.</summary>
    public bool Has(string routeId) => _written.ContainsKey(routeId);

    /// <summary>Returns a route's policy. If the route names none, any authenticated caller may use it.</summary>
    public AuthorizationPolicy PolicyOf(RouteConfig written) =>
        AuthorizationPolicyRules.IsAnonymous(written.AuthorizationPolicy) ? AuthorizationPolicies.Anyone
        : written.AuthorizationPolicy is { } name && Policies.TryGetValue(name, out var policy) ? policy
        : AuthorizationPolicies.AnyCaller;
}
