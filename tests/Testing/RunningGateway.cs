using System.Diagnostics.Metrics;
using System.Text.Json.Nodes;
using Gateway;
using Gateway.Authentication.Keys;
using Gateway.Configuration.Loading;
using Gateway.Logs;
using Gateway.Management;
using Gateway.Recording;
using Gateway.Reloading;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Testing;

/// <summary>A gateway in this process. It has the world's clock, and its log can be read.</summary>
public sealed class RunningGateway : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly World _world;
    private readonly GatewayFolder _folder;
    private readonly CheckedMetrics _metrics;

    private RunningGateway(WebApplication app, World world, GatewayFolder folder, LogLines log)
    {
        _metrics = new CheckedMetrics(app.Services.GetRequiredService<IMeterFactory>());
        _app = app;
        _world = world;
        _folder = folder;
        Log = log;
    }

    public LogLines Log { get; }

    public GatewayFolder Folder => _folder;

    /// <summary>Whether the files hold a rejected change.</summary>
    public bool IsConfigurationRefused => Services.GetRequiredService<ConfigurationReloader>().IsRefused;

    /// <summary>Makes the gateway check its files now, and not at its next poll.</summary>
    public Task CheckForChangesAsync() => Services.GetRequiredService<ConfigurationReloader>().CheckForChangesAsync();

    /// <summary>Changes <c>appsettings.json</c>, and makes the gateway check its files.</summary>
    public Task ChangeAsync(Action<JsonObject> change)
    {
        var settings = JsonNode.Parse(Folder.Read("appsettings.json"))!.AsObject();
        change(settings);
        Folder.Write("appsettings.json", settings.ToJsonString());
        return CheckForChangesAsync();
    }

    public IServiceProvider Services => _app.Services;

    public string Url => _app.Urls.First();

    public string ManagementUrl => Services.GetRequiredService<ManagementServer>().Url;

    public static async Task<RunningGateway> StartAsync(World world, GatewayFolder folder, Action<IServiceCollection>? replace = null)
    {
        var read = ConfigurationFolder.Load(["--config", folder.Path], "Test", new Dictionary<string, string?>());
        if (read.Snapshot is null) throw new InvalidOperationException(string.Join('\n', read.Findings));
        var log = new LogLines();
        var app = GatewayApplication.Build(read.Snapshot, "Test", services =>
        {
            services.AddSingleton(world.Time);
            services.AddLogging(logging => logging.ClearProviders().AddProvider(log));
            services.AddSingleton<ILoggerProvider>(provider => provider.GetRequiredService<EventRecorder>());
            services.AddSingleton(new StandardOutput(log.AddLines));
            services.AddOpenTelemetry().WithTracing(tracing =>
            {
                // Create spans as with an exporter, so that those it would send are checked.
                Telemetry.AddSpans(tracing);
                tracing.AddProcessor(new CheckedSpans());
            });
            // Export this gateway's own instruments only: a shared one is gone for all gateways of the process when the first of them ends. The default
            // room for 2,000 time series takes 144 KB per instrument, and a test process starts hundreds of gateways.
            services.ConfigureOpenTelemetryMeterProvider((own, metrics) =>
            {
                var factory = own.GetRequiredService<IMeterFactory>();
                metrics.AddView(instrument => instrument.Meter.Scope is { } scope && scope != factory ? MetricStreamConfiguration.Drop
                    : Telemetry.ViewOf(instrument, read.Snapshot.Routes.Count) is null ? new() { CardinalityLimit = 50 }
                    : null);
            });
            world.UseAws(services);
            replace?.Invoke(services);
        });
        var gateway = new RunningGateway(app, world, folder, log);
        await app.StartAsync();
        // On a busy machine the first fetch of the keys can take longer than a request waits for it. If a test holds up the issuer, do not wait.
        if (world.Issuer.BeforeDocument is null && gateway.Services.GetRequiredService<KeySources>().Find("Platform")?.Fetching is { } fetching) await fetching;
        return gateway;
    }

    /// <summary>Sends a request to the edge.</summary>
    public Task<Response> SendAsync(string path, string? token = null, string method = "GET", Action<HttpRequestMessage>? change = null) =>
        _world.Client.SendAsync(Url + path, token, method, change);

    /// <summary>Requests an organization's credentials as a member of it.</summary>
    public Task<Response> VendAsync(string organization, string query = "") =>
        SendAsync(Requests.CredentialsPath(organization) + query, _world.Token(organization));

    public async ValueTask DisposeAsync()
    {
        _metrics.Dispose();
        await _app.DisposeAsync();
        _folder.Dispose();
        FailureOutput.Add(Log.Problems);
    }
}
