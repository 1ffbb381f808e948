using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Snapshots;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.DryRun;

/// <summary>
/// Builds everything that a running gateway builds from a configuration: transforms, clients, probes, endpoints, listeners and the router. It then
/// sends test requests through that router. YARP and ASP.NET Core parse many settings only at that point, and their exceptions would otherwise fail
/// every request.
/// </summary>
internal static class ConfigurationDryRun
{
    /// <summary>Reports everything that cannot be built, with the key that causes it.</summary>
    public static void Check(RuleContext context)
    {
        using var services = TrialServices.Of(Alone(context.Snapshot));
        ClusterTrial.Check(context, services);
        var constraints = new Constraints(services.GetRequiredService<ParameterPolicyFactory>());
        ConstraintTrial.Check(context, services, constraints);
        RouteTrial.Check(context, services);
        RouterTrial.Check(context, services, constraints);
        ListenerTrial.Check(context);
    }

    /// <summary>
    /// Returns a configuration that connects to nothing. YARP would probe destinations as soon as it has them, so they are removed.
    /// </summary>
    /// <param name="snapshot">The configuration.</param>
    /// <param name="isBroken">Selects clusters of which only the name is kept.</param>
    public static Snapshot Alone(Snapshot snapshot, Func<ClusterConfig, bool>? isBroken = null) => snapshot with
    {
        Clusters = [.. snapshot.Clusters.Select(cluster =>
            isBroken?.Invoke(cluster) == true
                ? new ClusterConfig { ClusterId = cluster.ClusterId }
                : cluster with { Destinations = null, HealthCheck = null })],
    };
}
