using Gateway.Configuration.Rules;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.DryRun;

/// <summary>
/// Builds from a configuration what serving builds from it: transforms, clients, probes, endpoints, listeners and the router, and leads requests through that
/// router. YARP and ASP.NET Core parse much only then, and what they throw would be met by every request.
/// </summary>
internal static class ConfigurationDryRun
{
    /// <summary>Reports everything that cannot be built, at the key that it comes from.</summary>
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

    /// <summary>A configuration that reaches nobody: YARP would probe destinations from the moment that it knows them.</summary>
    /// <param name="snapshot">The configuration.</param>
    /// <param name="isBroken">Which clusters are to be left out but for their names.</param>
    public static Snapshot Alone(Snapshot snapshot, Func<ClusterConfig, bool>? isBroken = null) => snapshot with
    {
        Clusters = [.. snapshot.Clusters.Select(cluster =>
            isBroken?.Invoke(cluster) == true ? new ClusterConfig { ClusterId = cluster.ClusterId } : cluster with { Destinations = null, HealthCheck = null })],
    };
}
