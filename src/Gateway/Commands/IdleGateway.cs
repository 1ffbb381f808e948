using Gateway.Configuration.Snapshots;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Commands;

/// <summary>Builds the gateway from the same components without starting it, to inspect how it would behave. It writes no logs.</summary>
internal static class IdleGateway
{
    /// <summary>Builds a gateway that can reach the configured dependencies, but does so only on request.</summary>
    public static WebApplication Build(Snapshot configuration, ProgramEnvironment environment) =>
        GatewayApplication.Build(
            // YARP's active health checks start as soon as it has the destinations, so they are removed.
            configuration with { Clusters = [.. configuration.Clusters.Select(static cluster => cluster with { HealthCheck = null })] },
            environment.Name,
            services =>
            {
                services.AddLogging(static logging => logging.ClearProviders());
                environment.Services?.Invoke(services);
            });

    /// <summary>Builds a gateway without destinations.</summary>
    public static WebApplication BuildAlone(Snapshot configuration, ProgramEnvironment environment) =>
        Build(
            configuration with { Clusters = [.. configuration.Clusters.Select(static cluster => new ClusterConfig { ClusterId = cluster.ClusterId })] },
            environment);
}
