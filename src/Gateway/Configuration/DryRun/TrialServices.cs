using System.Diagnostics;
using System.Diagnostics.Metrics;
using Gateway.Configuration.Snapshots;
using Gateway.Hosting;
using Gateway.Routes;
using Gateway.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.ServiceDiscovery;

namespace Gateway.Configuration.DryRun;

/// <summary>The services from which the gateway builds its routes, for a configuration that is not served.</summary>
internal static class TrialServices
{
    /// <summary>Builds the services. They do not listen, connect, log or record metrics.</summary>
    public static ServiceProvider Of(Snapshot snapshot)
    {
        var gate = new SnapshotConfigurationProvider(snapshot);
        var configuration = new ConfigurationBuilder().Add(gate).Build();
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton<IMeterFactory, SilentMeters>().AddSingleton<GatewayMetrics>().AddSingleton(static _ => new DiagnosticListener(nameof(DryRun)));
        services.AddSingleton<IConfiguration>(configuration).AddSingleton(gate).AddSingleton(snapshot.Options);
        services.AddSingleton(TimeProvider.System).AddSingleton<Drain>();
        services.AddDataProtection().DisableKeyPersistence();
        services.AddRouting().AddAuthorization().AddCors();
        services.AddRoutes(configuration);
        services.AddSingleton<IDestinationResolver, AsWritten>();
        return services.BuildServiceProvider();
    }

    // Destinations are not resolved.
    private sealed class AsWritten : IDestinationResolver
    {
        public ValueTask<ResolvedDestinationCollection> ResolveDestinationsAsync(IReadOnlyDictionary<string, DestinationConfig> destinations, CancellationToken cancellationToken) =>
            new(new ResolvedDestinationCollection(destinations, null));
    }
}
