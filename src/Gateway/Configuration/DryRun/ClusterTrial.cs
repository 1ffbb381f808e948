using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Clusters;
using Gateway.Configuration.Snapshots;
using IotCredentials.Failures;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.SessionAffinity;

namespace Gateway.Configuration.DryRun;

/// <summary>Builds each cluster's client and health probes as a running gateway does, and runs YARP's validators on it.</summary>
internal sealed class ClusterTrial
{
    private readonly RuleContext _context;
    private readonly IConfigValidator _validator;
    private readonly IForwarderHttpClientFactory _clients;
    private readonly IProbingRequestFactory _probes;
    private readonly (string Key, string[] Names, Func<ClusterConfig, string?> Named)[] _policies;

    private ClusterTrial(RuleContext context, IServiceProvider services)
    {
        _context = context;
        _validator = services.GetRequiredService<IConfigValidator>();
        _clients = services.GetRequiredService<IForwarderHttpClientFactory>();
        _probes = services.GetRequiredService<IProbingRequestFactory>();
        _policies =
        [
            ("LoadBalancingPolicy", Names<ILoadBalancingPolicy>(policy => policy.Name), cluster => cluster.LoadBalancingPolicy),
            ("HealthCheck:AvailableDestinationsPolicy", Names<IAvailableDestinationsPolicy>(policy => policy.Name),
                cluster => cluster.HealthCheck?.AvailableDestinationsPolicy),
            ("HealthCheck:Active:Policy", Names<IActiveHealthCheckPolicy>(policy => policy.Name), cluster => cluster.HealthCheck?.Active?.Policy),
            ("HealthCheck:Passive:Policy", Names<IPassiveHealthCheckPolicy>(policy => policy.Name), cluster => cluster.HealthCheck?.Passive?.Policy),
            ("SessionAffinity:Policy", Names<ISessionAffinityPolicy>(policy => policy.Name), cluster => cluster.SessionAffinity?.Policy),
            ("SessionAffinity:FailurePolicy", Names<IAffinityFailurePolicy>(policy => policy.Name), cluster => cluster.SessionAffinity?.FailurePolicy),
        ];

        string[] Names<T>(Func<T, string> name) => [.. services.GetServices<T>().Select(name).Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>Tries every cluster.</summary>
    public static void Check(RuleContext context, IServiceProvider services)
    {
        var trial = new ClusterTrial(context, services);
        foreach (var cluster in context.Clusters) trial.Check(cluster);
    }

    private void Check(ClusterConfig cluster)
    {
        foreach (var (key, names, named) in _policies)
            if (named(cluster) is { Length: > 0 } name && !names.Contains(name, StringComparer.OrdinalIgnoreCase))
                _context.Error(RouteKey.Of(cluster, key), $"is {Finding.Quote(name)}, and there is no such policy. {Advice(name, names)}");

        foreach (var (name, problem) in Parts.Failing(cluster with { Destinations = null }, PartsOf, Problems)) Report(cluster, name, problem);
        foreach (var problem in Parts.ProblemsOf(() => Connect(cluster))) Report(cluster, "HttpClient", problem);
    }

    private IReadOnlyList<string> Problems(ClusterConfig cluster) =>
        Parts.ProblemsOf(() => _validator.ValidateClusterAsync(cluster).AsTask().GetAwaiter().GetResult());

    private IEnumerable<Exception> Connect(ClusterConfig cluster)
    {
        using var client = _clients.CreateClient(
            new() { ClusterId = cluster.ClusterId, NewConfig = cluster.HttpClient ?? HttpClientConfig.Empty, NewMetadata = cluster.Metadata });
        if (cluster.HealthCheck?.Active is not { Enabled: true } || cluster.Destinations is null) return [];
        var model = new ClusterModel(cluster, client);
        foreach (var (name, destination) in cluster.Destinations)
        {
            if (DestinationAddress.Problem(destination.Address) is not null) continue;
            foreach (var problem in Parts.ProblemsOf(() => Probe(model, destination)))
                Report(cluster, "HealthCheck:Active", $"For the destination {Finding.Quote(name)}: {problem}");
        }

        return [];
    }

    private IEnumerable<Exception> Probe(ClusterModel cluster, DestinationConfig destination)
    {
        using var probe = _probes.CreateRequest(cluster, new DestinationModel(destination));
        return [];
    }

    // If a rule has reported an error at this key or below it, skip this one: the rule's message is more specific.
    private void Report(ClusterConfig cluster, string name, string problem)
    {
        var key = name.Length == 0 ? RouteKey.Of(cluster) : RouteKey.Of(cluster, name);
        if (_context.HasErrorAt(key)) return;
        _context.Error(key, $"cannot be used: {problem} {Advice(name)}");
    }

    private static IEnumerable<(string, ClusterConfig)> PartsOf(ClusterConfig cluster)
    {
        var nothing = new ClusterConfig { ClusterId = cluster.ClusterId };
        yield return ("LoadBalancingPolicy", nothing with { LoadBalancingPolicy = cluster.LoadBalancingPolicy });
        yield return ("SessionAffinity", nothing with { SessionAffinity = cluster.SessionAffinity });
        yield return ("HealthCheck:Active", nothing with { HealthCheck = new() { Active = cluster.HealthCheck?.Active } });
        yield return ("HealthCheck:Passive", nothing with { HealthCheck = new() { Passive = cluster.HealthCheck?.Passive } });
        yield return ("HealthCheck:AvailableDestinationsPolicy",
            nothing with { HealthCheck = new() { AvailableDestinationsPolicy = cluster.HealthCheck?.AvailableDestinationsPolicy } });
        yield return ("HttpClient", nothing with { HttpClient = cluster.HttpClient });
        yield return ("HttpRequest", nothing with { HttpRequest = cluster.HttpRequest });
        yield return ("Metadata", nothing with { Metadata = cluster.Metadata });
    }

    private static string Advice(string name, IEnumerable<string> names)
    {
        // A rule refuses these two: only the replica that made their keys can read them.
        string[] usable = [.. names.Except(["Cookie", "CustomHeader"])];
        var isSlip = NearestName.Of(name, usable) is not null;
        return NearestName.Advice(name, usable) + (isSlip ? "" : " A policy from your own code does not run here: write one of these, or remove the key.");
    }

    private static string Advice(string name) => name switch
    {
        "SessionAffinity" => "Write such as { \"Enabled\": true, \"Policy\": \"HashCookie\", \"AffinityKeyName\": \"instance\" }.",
        "HealthCheck:Active" => "Write such as { \"Enabled\": true, \"Path\": \"/health\", \"Interval\": \"00:00:10\", \"Timeout\": \"00:00:05\" }.",
        "HealthCheck:Passive" => "Write such as { \"Enabled\": true, \"ReactivationPeriod\": \"00:00:30\" }.",
        "HttpClient" => "Write such as { \"MaxConnectionsPerServer\": 100, \"SslProtocols\": [ \"Tls12\", \"Tls13\" ], \"RequestHeaderEncoding\": \"utf-8\" }.",
        "HttpRequest" => "Write such as { \"Version\": \"2\", \"VersionPolicy\": \"RequestVersionOrLower\" }.",
        _ => "Write another value, or remove the key.",
    };
}
