using System.Security.Cryptography;
using System.Text;
using Gateway.Configuration;
using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Identity;
using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Snapshots;
using Gateway.Edge;
using Gateway.Networking;
using IotCredentials.Http;
using IotCredentials.Operations;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using StackExchange.Redis;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Differences;

/// <summary>
/// A configuration as the gateway uses it, not as it was written. A route has its policy, its limit and its CORS policy themselves, and not their names.
/// </summary>
internal sealed class EffectiveConfiguration
{
    /// <summary>The member of a route that holds who may use it. A route without it is open to anyone.</summary>
    public const string Access = "Access";

    /// <summary>The member of a route that holds its limit.</summary>
    public const string Limit = "Limit";

    /// <summary>The member of a limit that holds the limit's name.</summary>
    public const string Name = "Name";

    /// <summary>The member of a limit that says what is counted apart.</summary>
    public const string PartitionBy = nameof(RateLimitPolicyOptions.PartitionBy);

    private const int HashLength = 12;
    private const string ReverseProxy = "ReverseProxy";
    private const string OwnMetadata = "OwnMetadata";

    // Profiles are compared by the plugin, with overrides and session policies. A key that is not listed here is compared as any other.
    private static readonly string[] s_keysOfProfiles =
    [
        nameof(ProfileOptions.RoleArn), nameof(ProfileOptions.Region), nameof(ProfileOptions.IotEndpoint), nameof(ProfileOptions.EndpointRoleArn),
        nameof(ProfileOptions.SessionDuration), nameof(ProfileOptions.MinimumLifetime), nameof(ProfileOptions.RefreshAfter),
        nameof(ProfileOptions.SessionPolicy), nameof(ProfileOptions.SessionTags), nameof(ProfileOptions.ExternalId), nameof(ProfileOptions.Scope),
    ];

    private static readonly string[] s_clusterMetadata = [.. typeof(ClusterMetadata).GetProperties().Select(static property => property.Name)];
    private static readonly string[] s_destinationMetadata = [.. typeof(DestinationMetadata).GetProperties().Select(static property => property.Name)];
    private static readonly HashSet<string> s_transformValues = new(["Set", "Append"], StringComparer.OrdinalIgnoreCase);

    private readonly Dictionary<string, Setting> _routes = new(StringComparer.OrdinalIgnoreCase);

    public EffectiveConfiguration(Snapshot snapshot)
    {
        Snapshot = snapshot;
        MostBodyBytes = LimitsOf(snapshot).MaxRequestBodySize ?? -1;
        foreach (var route in snapshot.Routes) _routes[route.RouteId] = OfRoute(route);
        Rest = OfRest();
    }

    /// <summary>YARP's defaults of a cluster's keys that are null in its configuration unless an operator sets them.</summary>
    public static IReadOnlyList<(string Path, object Value)> ClusterDefaults { get; } =
    [
        ("LoadBalancingPolicy", "PowerOfTwoChoices"),
        ("SessionAffinity:Enabled", false),
        ("HealthCheck:Active:Enabled", false),
        ("HealthCheck:Active:Interval", TimeSpan.FromSeconds(15)),
        ("HealthCheck:Active:Timeout", TimeSpan.FromSeconds(10)),
        ("HealthCheck:Passive:Enabled", false),
        ("HttpClient:DangerousAcceptAnyServerCertificate", false),
        ("HttpClient:EnableMultipleHttp2Connections", true),
        ("HttpRequest:ActivityTimeout", TimeSpan.FromSeconds(100)),
        ("HttpRequest:Version", "2.0"),
        ("HttpRequest:VersionPolicy", "RequestVersionOrLower"),
        ("HttpRequest:AllowResponseBuffering", false),
    ];

    public Snapshot Snapshot { get; }

    /// <summary>Each route by its id, without what it matches.</summary>
    public IReadOnlyDictionary<string, Setting> Routes => _routes;

    /// <summary>Everything but the routes and the profiles.</summary>
    public Setting Rest { get; }

    private long MostBodyBytes { get; }

    /// <summary>
    /// A short hash of everything here that decides how requests are served. Replicas with the same hash serve the same, but for secrets: a short one could be
    /// guessed from the hash. Where a replica listens and what it logs is not part of it either.
    /// </summary>
    public string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(Rest, "");
        foreach (var route in Snapshot.Routes.OrderBy(static route => route.RouteId, StringComparer.OrdinalIgnoreCase))
        {
            AddText($"{ReverseProxy}:Routes:{route.RouteId.ToUpperInvariant()}", $"{route.Order ?? 0} {new RouteRequests(route).TextWithoutValues}");
            Add(_routes[route.RouteId], $"{ReverseProxy}:Routes:{route.RouteId}");
        }

        foreach (var (path, value) in (Snapshot.Profiles is { } profiles ? ProfileComparison.ValuesOf(profiles) : [])
            .OrderBy(static value => value.Key, StringComparer.Ordinal))
            AddText(path, value);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..HashLength];

        void Add(Setting setting, string path)
        {
            if (!SettingRules.IsHashed(path)) return;
            if (setting.Value is string[] list)
                foreach (var item in list.Prepend($"{list.Length}")) AddText(path, SettingText.WithoutUser(item));
            else if (setting.Text is { } value) AddText(path, SettingText.WithoutUser(value));
            else if (setting.Members.Count == 0) AddText(path, "");
            foreach (var (name, member) in setting.Members) Add(member, path.Length == 0 ? name : $"{path}:{name}");
        }

        void AddText(string path, string value)
        {
            // The lengths keep two texts apart that are one text together.
            foreach (var text in (string[])[path, value])
            {
                var bytes = Encoding.UTF8.GetBytes(text);
                hash.AppendData(BitConverter.GetBytes(bytes.Length));
                hash.AppendData(bytes);
            }
        }
    }

    /// <summary>A cluster by its id; null if there is none.</summary>
    public Setting? ClusterOf(string? id) => id is null ? null : Rest.Members[ReverseProxy].Members["Clusters"].Members.GetValueOrDefault(id);

    /// <summary>The requirements of a policy by its name, as a section; null if anyone is let in.</summary>
    public Setting? AccessOf(string? policy) => AuthorizationPolicyRules.IsAnonymous(policy)
        ? null
        : Setting.Of(policy is null ? new AuthorizationPolicyOptions() : Snapshot.Options.Authorization.Policies.GetValueOrDefault(policy) ?? new());

    private Setting OfRoute(RouteConfig route)
    {
        var options = Snapshot.Options;
        var metadata = RouteMetadata.Of(route);
        var module = ModuleRoute.ModuleOf(route);
        var access = AccessOf(route.AuthorizationPolicy);
        // Membership in the organization of another segment is another requirement.
        if (access?.Members[nameof(AuthorizationPolicyOptions.RequireOrganization)].Value is true)
            access = access.With("OrganizationSegment", Setting.Of(OrganizationSegmentOf(route)));
        var limit = route.RateLimiterPolicy is { } name && !ReservedPolicy.IsDisable(name) ? options.RateLimiting.Policies.GetValueOrDefault(name) : null;
        var cors = route.CorsPolicy is { } policy && !ReservedPolicy.IsDisable(policy) ? options.Cors.Policies.GetValueOrDefault(policy) : null;
        return Setting.Of(route with { Match = null!, Metadata = null })!
            .Without(nameof(RouteConfig.RouteId), nameof(RouteConfig.Order), nameof(RouteConfig.AuthorizationPolicy), nameof(RouteConfig.RateLimiterPolicy))
            .With(Access, access)
            .With(Limit, Setting.Of(limit)?.With(Name, Setting.Of(route.RateLimiterPolicy)).With(PartitionBy, Setting.Of(PartitionOf(limit!, route, access))))
            .With(nameof(RouteConfig.CorsPolicy), Setting.Of(cors))
            .With("CorsDisabled", Setting.Of(ReservedPolicy.IsDisable(route.CorsPolicy)))
            .With(nameof(RouteConfig.ClusterId), Setting.Of(route.ClusterId?.ToUpperInvariant()))
            .With(nameof(RouteConfig.MaxRequestBodySize), Setting.Of(route.MaxRequestBodySize ?? MostBodyBytes))
            .With(nameof(RouteConfig.Transforms), Steps(route, static (name, value) => s_transformValues.Contains(name) ? "…" : value))
            .With("TransformValues", Steps(route, static (name, value) => s_transformValues.Contains(name) ? value : "…"))
            .With(nameof(RouteConfig.Metadata), Setting.Of(metadata with { Profile = module is null ? null : ModuleRoute.ProfileOf(route) }));
    }

    // As the limiter partitions: by organization only if membership is proven.
    private static RateLimitPartitionKey PartitionOf(RateLimitPolicyOptions limit, RouteConfig route, Setting? access) =>
        limit.PartitionBy == RateLimitPartitionKey.Organization
            && !(access?.Members[nameof(AuthorizationPolicyOptions.RequireOrganization)].Value is true && RoutePath.BindsOrganization(route))
            ? RateLimitPartitionKey.Subject
            : limit.PartitionBy;

    private static Setting? Steps(RouteConfig route, Func<string, string, string> show) => route.Transforms is not { Count: > 0 } steps ? null
        : Setting.Steps(steps.Select(step => step.ToDictionary(static part => part.Key, part => show(part.Key, part.Value))));

    private static long? OrganizationSegmentOf(RouteConfig route) => RoutePath.Parse(route)?.PathSegments
        .Select(static (segment, index) => (segment.Parts, Index: (long?)index))
        .FirstOrDefault(static segment => segment.Parts.OfType<RoutePatternParameterPart>()
            .Any(static part => part.Name.Equals(RouteOrganization.Parameter, StringComparison.OrdinalIgnoreCase))).Index;

    private Setting OfRest()
    {
        var options = Snapshot.Options;
        var root = Setting.Of(options)!;
        var credentials = Setting.Of(options.IotCredentials)!;
        foreach (var section in (string[])[nameof(IotCredentialsOptions.Profiles), nameof(IotCredentialsOptions.Organizations)])
            credentials = credentials.With(section, Setting.Section(credentials.Members[section].Members
                .Select(static entry => KeyValuePair.Create(entry.Key, (Setting?)entry.Value.Without(s_keysOfProfiles)))
                .Where(static entry => entry.Value!.Members.Count > 0), StringComparer.Ordinal));
        return root
            .With(nameof(GatewayOptions.IotCredentials), credentials)
            .With(nameof(GatewayOptions.Management), Setting.Of(options.Management)!
                .With(nameof(ManagementOptions.AuthorizationPolicy), null)
                .With(Access, options.Management.AuthorizationPolicy is { } policy ? AccessOf(policy) : null))
            .With(nameof(GatewayOptions.ConnectionStrings), Setting.Section([new("Redis", Setting.Of(RedisOf(options)))]))
            .With(nameof(GatewayOptions.AllowedHosts), Setting.Of(ListOf(options.AllowedHosts) is { } hosts && !hosts.Contains("*") ? hosts : null))
            .With(nameof(GatewayOptions.Urls), Setting.Of(ListOf(Snapshot.Values.GetValueOrDefault(nameof(GatewayOptions.Urls)))))
            .With(nameof(GatewayOptions.Authentication), Setting.Of(options.Authentication)!
                .With(nameof(AuthenticationSchemesOptions.Schemes), Setting.Section(options.Authentication.Schemes
                    .Select(static scheme => KeyValuePair.Create(scheme.Key, Setting.Of(scheme.Value with { ValidIssuers = scheme.Value.Issuers }))),
                    StringComparer.Ordinal)))
            .With(nameof(GatewayOptions.Edge), Setting.Of(options.Edge)!.With(
                nameof(EdgeOptions.ConnectionsPerAddress),
                Setting.Of(ConnectionLimits.PerAddress(options.Edge.ConnectionsPerAddress, LimitsOf(Snapshot)))))
            .With("Kestrel", OfKestrel())
            .With("Logging", OfValues("Logging"))
            .With(ReverseProxy, Setting.Section([new("Clusters", Setting.Section(Snapshot.Clusters
                .Select(static cluster => KeyValuePair.Create(cluster.ClusterId, OfCluster(cluster)))))]));
    }

    private static Setting? OfCluster(ClusterConfig cluster)
    {
        var effective = Setting.Of(cluster with { Metadata = null })!
            .Without(nameof(ClusterConfig.ClusterId))
            .With("Destinations", Setting.Section((cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
                .Select(static destination => KeyValuePair.Create(destination.Key, (Setting?)OfDestination(destination.Value)))))
            .With("Metadata", Setting.Of(ClusterMetadata.Of(cluster.Metadata)))
            .With(OwnMetadata, OwnOf(cluster.Metadata, s_clusterMetadata));
        return ClusterDefaults.Aggregate(effective, static (section, value) => section.WithDefault(value.Path.Split(':'), Setting.Of(value.Value)!));
    }

    private static Setting OfDestination(DestinationConfig destination) => Setting.Of(destination with { Metadata = null })!
        .With("Metadata", Setting.Of(DestinationMetadata.Of(destination.Metadata)))
        .With(OwnMetadata, OwnOf(destination.Metadata, s_destinationMetadata));

    // An operator may write a secret there for a service.
    private static Setting OwnOf(IReadOnlyDictionary<string, string>? metadata, string[] known) => Setting.Section(
        (metadata ?? new Dictionary<string, string>())
            .Where(entry => !known.Contains(entry.Key, StringComparer.OrdinalIgnoreCase))
            .Select(static entry => KeyValuePair.Create(entry.Key, Setting.Of(entry.Value))));

    private Setting OfKestrel()
    {
        var limits = LimitsOf(Snapshot);
        return OfValues("Kestrel", "Limits").With("Limits", Setting.Of(limits)!
            .With(nameof(limits.MinRequestBodyDataRate), OfRate(limits.MinRequestBodyDataRate))
            .With(nameof(limits.MinResponseDataRate), OfRate(limits.MinResponseDataRate))
            .With(nameof(limits.Http2), Setting.Of(limits.Http2))
            .With(nameof(limits.Http3), Setting.Of(limits.Http3)));
    }

    private static Setting? OfRate(MinDataRate? rate) => rate is null ? null : Setting.Section(
        [new(nameof(rate.BytesPerSecond), Setting.Of(rate.BytesPerSecond)), new(nameof(rate.GracePeriod), Setting.Of(rate.GracePeriod))]);

    private static KestrelServerLimits LimitsOf(Snapshot snapshot)
    {
        using var configuration = new ConfigurationRoot([new SnapshotConfigurationProvider(snapshot)]);
        var limits = new KestrelServerLimits();
        KestrelLimits.Bind(configuration, limits);
        return limits;
    }

    // Sections whose keys other libraries know have only the values that are written.
    private Setting OfValues(string section, string? except = null) => Setting.Section(Snapshot.Values
        .Where(value => value.Key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase)
            && (except is null || !value.Key.StartsWith($"{section}:{except}", StringComparison.OrdinalIgnoreCase)))
        .Select(value => KeyValuePair.Create(value.Key[(section.Length + 1)..], Setting.Of(value.Value))));

    private static string[]? ListOf(string? text) => text?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    private static string? RedisOf(GatewayOptions options) => options.ConnectionStrings.Redis is { } text
        ? ConfigurationOptions.Parse(text, ignoreUnknown: true).ToString(includePassword: false)
        : null;
}
