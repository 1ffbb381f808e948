using System.Diagnostics;
using System.Diagnostics.Metrics;
using Gateway.Hosting;
using Gateway.Management;
using Gateway.Routes;
using Gateway.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Gateway.Configuration.DryRun;

/// <summary>The services that the gateway makes its routes with, for a configuration that nobody is served by.</summary>
internal static class TrialServices
{
    /// <summary>Builds them. Nothing of them listens, connects, logs or counts.</summary>
    public static ServiceProvider Of(Snapshot snapshot)
    {
        var gate = new GatedConfigurationProvider(snapshot);
        var configuration = new ConfigurationBuilder().Add(gate).Build();
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton<IMeterFactory, SilentMeters>().AddSingleton<GatewayMetrics>().AddSingleton(static _ => new DiagnosticListener(nameof(DryRun)));
        services.AddSingleton<IConfiguration>(configuration).AddSingleton(gate).AddSingleton(snapshot.Options);
        services.AddSingleton(TimeProvider.System).AddSingleton<Drain>();
        services.AddDataProtection().UseNoKeyRing();
        services.AddRouting().AddAuthorization().AddCors();
        services.AddRoutes(configuration);
        services.AddSingleton<IDestinationResolver, AsWritten>();
        return services.BuildServiceProvider();
    }

    // Nobody is looked for.
    private sealed class AsWritten : IDestinationResolver
    {
        public ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken) =>
            new(new ResolvedDestinationCollection(destinations, null));
    }
}
