using Gateway.Configuration;
using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Hosting;

/// <summary>
/// Shuts the edge down. After the stop signal, it still serves for <c>Shutdown:Delay</c>, so that load balancers notice in time that it is no longer ready, and
/// it closes each connection after its response. Then it accepts nothing new, and requests in flight have <c>Shutdown:Timeout</c> to finish.
/// </summary>
internal sealed class Drain(GatewayOptions options) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _streams = new();

    /// <summary>
    /// Cancelled when streams are aborted that did not end by themselves: halfway through the timeout, so that their clients find another replica while this
    /// one is still there.
    /// </summary>
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

/// <summary>Closes clients' connections while the edge still serves.</summary>
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
