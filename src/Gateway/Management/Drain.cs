using Gateway.Configuration;
using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Management;

/// <summary>
/// How the edge ends. Told to stop, it serves on for <c>Shutdown:Delay</c>, so that balancers notice in time that it is not ready any more,
/// and closes each connection behind the answer to it. Then it takes nothing new, and what is in flight has <c>Shutdown:Timeout</c>.
/// </summary>
internal sealed class Drain(GatewayOptions options) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _streams = new();

    /// <summary>When streams are cut that did not end by themselves: halfway, for their clients to find another replica while this one is there.</summary>
    public CancellationToken StreamsEnd => _streams.Token;

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(options.Shutdown.Delay, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _streams.CancelAfter(options.Shutdown.Timeout / 2);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _streams.Dispose();
}

/// <summary>Lets clients' connections go while the edge still serves.</summary>
internal static class DrainExtensions
{
    public static void UseDrain(this IApplicationBuilder app)
    {
        var stopping = app.ApplicationServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        app.Use((context, next) =>
        {
            if (stopping.IsCancellationRequested) context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
            return next(context);
        });
    }
}
