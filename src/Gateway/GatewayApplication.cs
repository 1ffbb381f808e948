using System.Diagnostics;
using System.Text;
using Gateway.ApiReference;
using Gateway.Authentication;
using Gateway.Authorization;
using Gateway.AwsIdentity;
using Gateway.Configuration.Snapshots;
using Gateway.Edge;
using Gateway.Errors;
using Gateway.Forwarding.Headers;
using Gateway.Hosting;
using Gateway.Logs;
using Gateway.Management;
using Gateway.Networking;
using Gateway.RateLimiting;
using Gateway.Recording;
using Gateway.Reloading;
using Gateway.Routes;
using Gateway.Telemetry;

namespace Gateway;

/// <summary>Builds the gateway from a validated configuration, as a host that is ready to start.</summary>
internal static class GatewayApplication
{
    // Each watcher takes an inotify instance, and a user has few of them. None is needed: the configuration's files are polled.
    private static readonly string[] s_noFileWatchers = ["--hostBuilder:reloadConfigOnChange=false"];

    public static WebApplication Build(Snapshot configuration, string environment, Action<IServiceCollection>? replace = null)
    {
        // Some proxies in front read a line that ends in a bare LF as the boundary between two requests.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        DistributedContextPropagator.Current = new TraceContextPropagator();
        // Without IIS, HTTP/3 and assemblies that a variable adds to the start.
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { EnvironmentName = environment, ContentRootPath = configuration.Folder, Args = s_noFileWatchers });
        var snapshots = builder.Configuration.UseSnapshot(configuration);
        builder.Environment.ContentRootFileProvider = snapshots.Files;
        // For dotnet-trace and dotnet-monitor.
        builder.Logging.AddEventSourceLogger();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.Services.AddRouting();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Together with DownstreamHttpClientFactory's encoding: each byte that a service wrote becomes one character, and is written as that byte again.
            kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
        });
        builder.WebHost.ConfigureKestrel(ContentLength.Require);
        builder.WebHost.ConfigureKestrel(ConnectionWords.Keep);
        builder.WebHost.ConfigureKestrel(kestrel => KestrelLimits.Bind(builder.Configuration, kestrel.Limits));

        var options = configuration.Options;
        builder.Services.AddSingleton(snapshots);
        builder.Services.AddSingleton(options);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Shutdown.Delay + options.Shutdown.Timeout);
        builder.AddTrustedProxies(options);
        builder.AddTls();
        builder.AddConnectionLimits();
        builder.Services.AddSingleton(FileDescriptors.OfProcess());
        builder.Services.AddSingleton<UpgradeLimits>();
        builder.AddTelemetry(configuration.Routes.Count);
        builder.AddTraceBoundary();
        builder.AddErrorResponses();
        builder.AddLogs();
        builder.Services.AddRecording();
        builder.AddIssuers(options);
        builder.AddPolicies();
        builder.AddRouteLimits();
        builder.AddManagement();
        builder.AddApiReference();
        builder.AddReloading();
        builder.Services.AddRequestTimeouts();
        builder.AddAwsIdentity(options);
        builder.Services.AddRoutes(builder.Configuration);
        builder.AddOuterSteps();
        builder.Services.RemoveKeyRing();
        replace?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseSteps(options);
        return app;
    }
}
