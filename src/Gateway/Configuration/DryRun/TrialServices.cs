using System.Diagnostics;
using System.Diagnostics.Metrics;
using Gateway.Configuration.Snapshots;
using Gateway.Hosting;
using Gateway.Networking;
using Gateway.Routes;
using Gateway.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Configuration.DryRun;

/// <summary>The services from which the gateway builds its routes, for a configuration that is not served.</summary>
internal static class TrialServices
{
    /// <summary>Builds the services. They do not listen, connect, log or record metrics.</summary>
    public static ServiceProvider Of(Snapshot snapshot)
    {
        var snapshots = new SnapshotConfigurationProvider(snapshot);
        var configuration = new ConfigurationBuilder().Add(snapshots).Build();
        var services = new ServiceCollection();
        services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance).AddSingleton(typeof(ILogger<>), typeof(NullLogger<>));
        services.AddSingleton<IMeterFactory, SilentMeters>().AddSingleton<GatewayMetrics>().AddSingleton(static _ => new DiagnosticListener(nameof(DryRun)));
        services.AddSingleton<IConfiguration>(configuration).AddSingleton(snapshots).AddSingleton(snapshot.Options);
        services.AddSingleton(TimeProvider.System).AddSingleton<Drain>().AddSingleton(FileDescriptors.OfProcess());
        services.AddRouting().AddAuthorization().AddCors();
        services.AddRoutes(configuration);
        services.RemoveKeyRing();
        return services.BuildServiceProvider();
    }
}
