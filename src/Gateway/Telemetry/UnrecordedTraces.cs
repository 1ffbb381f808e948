using System.Diagnostics;

namespace Gateway.Telemetry;

/// <summary>
/// Begins and continues traces where nobody collects the gateway's own spans: a request gets the id that logs and services know it by, and
/// no span is filled for nobody. A trace that begins here is marked as sampled, as it would be with spans, so that services decide for themselves.
/// </summary>
internal sealed class UnrecordedTraces : IHostedService, IDisposable
{
    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = static source => source.Name == "Microsoft.AspNetCore",
        Sample = static (ref _) => ActivitySamplingResult.PropagationData,
        ActivityStarted = static activity =>
        {
            if (activity.ParentSpanId == default) activity.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
        },
    };

    public Task StartAsync(CancellationToken cancellationToken)
    {
        ActivitySource.AddActivityListener(_listener);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Dispose();
}
