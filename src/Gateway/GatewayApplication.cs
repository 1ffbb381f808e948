using System.Diagnostics;
using System.Text;
using Gateway.Authentication;
using Gateway.Authorization;
using Gateway.Configuration;
using Gateway.Cors;
using Gateway.Edge;
using Gateway.Errors;
using Gateway.Forwarding;
using Gateway.Hosting;
using Gateway.Management;
using Gateway.RateLimiting;
using Gateway.Reloading;
using Gateway.Routes;
using Gateway.Telemetry;

namespace Gateway;

/// <summary>The gateway, from a configuration that was found good to a host that is ready to start.</summary>
internal static class GatewayApplication
{
    // Each is an inotify instance, of which a user has few, and none is needed: the configuration's files are polled.
    private static readonly string[] NoFileWatchers = ["--hostBuilder:reloadConfigOnChange=false"];

    public static WebApplication Build(Snapshot configuration, string environment, Action<IServiceCollection>? replace = null)
    {
        // A line that ends in a bare LF is read as two requests by some who stand in front.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        DistributedContextPropagator.Current = new TraceContextPropagator();
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment, ContentRootPath = configuration.Folder, Args = NoFileWatchers });
        var gate = builder.Configuration.UseGatedConfiguration(configuration);
        builder.Environment.ContentRootFileProvider = gate.Files;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // With ServiceClients' own: each byte that a service wrote is one character, and that byte again.
            kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
        });
        builder.WebHost.ConfigureKestrel(ContentLength.Require);
        builder.WebHost.ConfigureKestrel(ConnectionWords.Keep);
        builder.WebHost.ConfigureKestrel(kestrel => KestrelLimits.Bind(builder.Configuration, kestrel.Limits));

        var options = configuration.Options;
        builder.Services.AddSingleton(gate);
        builder.Services.AddSingleton(options);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.Shutdown.Delay + options.Shutdown.Timeout);
        builder.Services.AddDataProtection().UseNoKeyRing();
        builder.AddTrustedProxies(options);
        builder.AddTls();
        builder.AddConnectionLimits();
        builder.Services.AddSingleton<UpgradeLimits>();
        builder.AddTelemetry();
        builder.AddTraceBoundary();
        builder.AddErrorAnswers();
        builder.AddAccessLog();
        builder.AddIssuers(options);
        builder.AddPolicies();
        builder.AddRateLimits();
        builder.AddManagement();
        builder.AddReloading();
        builder.Services.AddRequestTimeouts();
        builder.Services.AddRoutes(builder.Configuration);
        replace?.Invoke(builder.Services);

        var app = builder.Build();
        app.UseDrain();
        app.UseClientTraces();
        // Once more, since there the framework puts a page with the stack trace in between.
        if (app.Environment.IsDevelopment()) app.UseErrorAnswers();
        app.UseForwardedHeaders();
        app.UseMiddleware<PathGuard>(options.Edge.Methods);
        app.UseRouting();
        app.UseUnstoredAnswers();
        app.UseRouteTimeouts();
        app.UseRouteCors();
        app.UseLoopDetection();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimiter();
        app.UseUpgradeLimits();
        app.UseTokenDeadlines();
        app.MapRoutes();
        return app;
    }
}
