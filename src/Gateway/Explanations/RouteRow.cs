using System.Globalization;
using Gateway.Authorization;
using Gateway.Configuration;
using Gateway.Configuration.Rules;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Snapshots;
using Gateway.Routes;
using IotCredentials.Http;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Infrastructure;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Explanations;

/// <summary>One effective route: what it matches, who may use it, and its target. Settings that the route does not have are absent.</summary>
internal sealed record RouteRow
{
    public required string Route { get; init; }
    public required RouteMatchRow Match { get; init; }

    /// <summary>The policy's name. Absent when any authenticated caller may use the route.</summary>
    public string? Policy { get; init; }

    /// <summary>Whether the route is open without authentication.</summary>
    public required bool Anyone { get; init; }

    /// <summary>
    /// The policy's requirements as text. Empty when any authenticated caller may use the route, or when it is open without authentication.
    /// </summary>
    public required IReadOnlyList<string> Requirements { get; init; }

    public NamedRow? Limit { get; init; }
    public NamedRow? Cors { get; init; }
    public TimeSpan? Timeout { get; init; }

    /// <summary>The largest request body, in bytes. -1 means no limit.</summary>
    public long? MaxRequestBodySize { get; init; }

    public string? IpAllow { get; init; }
    public required RouteTargetRow Target { get; init; }

    /// <summary>Creates the row for an endpoint of <paramref name="table"/>, with the clusters of <paramref name="configuration"/>.</summary>
    public static RouteRow Of(RouteEndpoint endpoint, RouteTable table, Snapshot configuration)
    {
        var route = table.Written(endpoint.RouteId());
        var options = configuration.Options;
        var metadata = RouteMetadata.Of(route);
        var policy = table.PolicyOf(route);
        return new()
        {
            Route = route.RouteId,
            Match = RouteMatchRow.Of(endpoint, route),
            Policy = route.AuthorizationPolicy,
            Anyone = policy == AuthorizationPolicies.Anyone,
            Requirements =
            [
                .. RequirementsOf(policy).Select(requirement => requirement.ToString()!),
                .. metadata.AnyOrganization ? ["any authenticated caller, whatever the organization"] : Array.Empty<string>(),
            ],
            Limit = route.RateLimiterPolicy is { } limit && !ReservedPolicy.IsDisable(limit)
                ? new(limit, Describe(options.RateLimiting.Policies[limit]))
                : null,
            Cors = route.CorsPolicy is { } cors && !ReservedPolicy.IsDisable(cors) ? new(cors, Describe(options.Cors.Policies[cors])) : null,
            Timeout = route.Timeout,
            MaxRequestBodySize = route.MaxRequestBodySize,
            IpAllow = metadata.IpAllow,
            Target = RouteTargetRow.Of(route, configuration),
        };
    }

    /// <summary>Returns a policy's requirements other than being authenticated. The result is empty for a policy that is open to anyone.</summary>
    public static IEnumerable<IAuthorizationRequirement> RequirementsOf(AuthorizationPolicy policy) => policy == AuthorizationPolicies.Anyone
        ? []
        : policy.Requirements.Where(requirement => requirement is not DenyAnonymousAuthorizationRequirement);

    private static string Describe(RateLimitPolicyOptions limit)
    {
        var over = limit.Algorithm == RateLimitAlgorithm.Concurrency ? "at once" : $"per {limit.Window:c}";
        var whose = limit.PartitionBy switch
        {
            RateLimitPartitionKey.Organization => "each organization",
            RateLimitPartitionKey.Subject => "each caller",
            RateLimitPartitionKey.ClientIp => "each client address",
            _ => "each route",
        };
        var where = limit.Store == RateLimitStore.Redis ? "across all processes" : "per process";
        return string.Create(CultureInfo.InvariantCulture, $"{limit.PermitLimit} {over} for {whose}, {limit.Algorithm}, counted {where}");
    }

    private static string Describe(CorsPolicyOptions cors) =>
        $"from {string.Join(", ", cors.Origins)}"
        + (cors.Methods.Count > 0 ? $", methods {string.Join(", ", cors.Methods)}" : "")
        + (cors.Headers.Count > 0 ? $", headers {string.Join(", ", cors.Headers)}" : "");
}

/// <summary>A policy's name and its description.</summary>
internal sealed record NamedRow(string Name, string Says);

/// <summary>The conditions that a route matches. An empty list matches anything.</summary>
internal sealed record RouteMatchRow
{
    public required int Order { get; init; }
    public required string Path { get; init; }
    public required IReadOnlyList<string> Methods { get; init; }
    public required IReadOnlyList<string> Hosts { get; init; }
    public required IReadOnlyList<string> Headers { get; init; }
    public required IReadOnlyList<string> Query { get; init; }

    public static RouteMatchRow Of(RouteEndpoint endpoint, RouteConfig route) => new()
    {
        Order = endpoint.Order,
        Path = endpoint.RoutePattern.RawText!,
        Methods = route.Match.Methods ?? [],
        Hosts = route.Match.Hosts ?? [],
        Headers = [.. (route.Match.Headers ?? []).Select(header => Describe(header.Name, header.Mode.ToString()))],
        Query = [.. (route.Match.QueryParameters ?? []).Select(parameter => Describe(parameter.Name, parameter.Mode.ToString()))],
    };

    // A value may be a secret that a service or a proxy in front shares with the gateway.
    private static string Describe(string name, string mode) => mode switch
    {
        "Exists" => $"{name} is present",
        "NotExists" => $"{name} is absent",
        "Contains" => $"{name} contains …",
        "NotContains" => $"{name} does not contain …",
        "HeaderPrefix" or "Prefix" => $"{name} begins with …",
        _ => $"{name} is …",
    };
}

/// <summary>A route's target: a cluster, or an in-process module.</summary>
internal sealed record RouteTargetRow
{
    public string? Cluster { get; init; }
    public IReadOnlyDictionary<string, string>? Destinations { get; init; }

    /// <summary>The weights of the destinations. Absent if they have none.</summary>
    public IReadOnlyDictionary<string, int>? Weights { get; init; }

    public string? Module { get; init; }
    public string? Profile { get; init; }

    /// <summary>
    /// The topics that the profile's sessions share. Every organization may receive them. A topic of a single organization is prefixed with that
    /// organization's id.
    /// </summary>
    public IReadOnlyList<string>? SharedTopics { get; init; }

    public static RouteTargetRow Of(RouteConfig route, Snapshot configuration) => ModuleRoute.ModuleOf(route) is { } module
        ? new()
        {
            Module = module,
            Profile = ModuleRoute.ProfileOf(route),
            SharedTopics = SharedTopicsOf(ModuleRoute.ProfileOf(route), configuration.Options.IotCredentials),
        }
        : Of(configuration.Clusters.First(cluster => cluster.ClusterId.Equals(route.ClusterId, StringComparison.OrdinalIgnoreCase))) with
        {
            Cluster = route.ClusterId,
        };

    private static RouteTargetRow Of(ClusterConfig cluster)
    {
        var weights = (cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
            .Where(static destination => DestinationMetadata.Of(destination.Value.Metadata).Weight is not null)
            .ToDictionary(
                static destination => destination.Key, static destination => DestinationMetadata.Of(destination.Value.Metadata).Weight!.Value,
                StringComparer.Ordinal);
        return new()
        {
            Destinations = cluster.Destinations?.ToDictionary(
                static destination => destination.Key, static destination => WithoutUser(destination.Value.Address), StringComparer.Ordinal),
            Weights = weights.Count > 0 ? weights : null,
        };
    }

    private static List<string>? SharedTopicsOf(string profile, IotCredentialsOptions options)
    {
        var shared = options.Profiles.TryGetValue(profile, out var named) ? named.SharedTopics ?? [] : [];
        List<string> all =
        [
            .. shared,
            .. options.Organizations.SelectMany(organization => (organization.Value.SharedTopics ?? []).Select(topic => $"{organization.Key}: {topic}")),
        ];
        return all.Count > 0 ? all : null;
    }

    // The user information before an address's @ can contain a password.
    public static string WithoutUser(string address) =>
        new Uri(address).GetComponents(UriComponents.AbsoluteUri & ~UriComponents.UserInfo, UriFormat.UriEscaped);

    public override string ToString() => Module is not null
        ? $"module {Module}, profile {Profile}"
        : $"cluster {Cluster}: {string.Join(", ", (Destinations ?? new Dictionary<string, string>()).Select(Describe))}";

    private string Describe(KeyValuePair<string, string> destination) =>
        Weights?.TryGetValue(destination.Key, out var weight) == true ? $"{destination.Value} ({weight})" : destination.Value;
}
