using Gateway.Configuration.Loading;
using Gateway.Management;

namespace Gateway;

/// <summary>The gateway in the process of another program, such as the sandbox.</summary>
public sealed class EmbeddedGateway : IAsyncDisposable
{
    private readonly WebApplication _app;

    private EmbeddedGateway(WebApplication app) => _app = app;

    /// <summary>The address of the public listener, once the gateway has started.</summary>
    public string Url => _app.Urls.Single();

    /// <summary>The address of the management listener, once the gateway has started.</summary>
    public string ManagementUrl => _app.Services.GetRequiredService<ManagementServer>().Url;

    /// <summary>Loads and validates a configuration, and builds the gateway. Environment variables are not configuration here.</summary>
    /// <param name="args">The configuration keys, as on the gateway's command line, with <c>--config DIR</c>.</param>
    /// <param name="environmentName">The environment, as in <c>appsettings.{Environment}.json</c>.</param>
    /// <param name="findings">All errors and warnings, ordered by key.</param>
    /// <returns>The gateway, ready to start; null if a finding is an error.</returns>
    public static EmbeddedGateway? Create(IReadOnlyList<string> args, string environmentName, out IReadOnlyList<Finding> findings)
    {
        var loaded = ConfigurationFolder.Load(args, environmentName, new Dictionary<string, string?>());
        findings = loaded.Findings;
        return loaded.Snapshot is { } snapshot ? new(GatewayApplication.Build(snapshot, environmentName)) : null;
    }

    /// <summary>Starts the gateway. Both listeners are open when it returns.</summary>
    public Task StartAsync(CancellationToken cancellation) => _app.StartAsync(cancellation);

    /// <summary>Waits until the gateway has stopped.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellation) => _app.WaitForShutdownAsync(cancellation);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
