using Gateway.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Commands;

/// <summary>The gateway, made of the same parts but never started: to be asked what it would do. Its log is nowhere.</summary>
internal static class IdleGateway
{
    /// <summary>One that can reach what the configuration names, and does so only when asked.</summary>
    public static WebApplication Build(Snapshot configuration, ProgramEnvironment environment) =>
        GatewayApplication.Build(
            // YARP probes destinations from the moment that it knows them.
            configuration with { Clusters = [.. configuration.Clusters.Select(static cluster => cluster with { HealthCheck = null })] },
            environment.Name,
            static services => services.AddLogging(static logging => logging.ClearProviders()));

    /// <summary>One that knows no destination at all.</summary>
    public static WebApplication BuildAlone(Snapshot configuration, ProgramEnvironment environment) =>
        Build(configuration with { Clusters = [.. configuration.Clusters.Select(static cluster => new ClusterConfig { ClusterId = cluster.ClusterId })] }, environment);
}
