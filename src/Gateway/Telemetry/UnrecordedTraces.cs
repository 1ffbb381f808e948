using System.Diagnostics;

namespace Gateway.Telemetry;

/// <summary>
/// Begins and continues traces where nobody collects the gateway's own spans: a request gets the id that logs and services know it by, and
/// no span is filled for nobody. A trace that begins here is marked as one to record, so that services still record theirs.
/// </summary>
internal sealed class UnrecordedTraces : IHostedService, IDisposable
{
    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = static source => source.Name == "Microsoft.AspNetCore",
        Sample = static (ref ActivityCreationOptions<ActivityContext> options) =>
            options.Parent == default || options.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded) ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.PropagationData,
        // Marked, and nothing more: tags would be set for nobody.
        ActivityStarted = static activity => activity.IsAllDataRequested = false,
    };

    public Task StartAsync(CancellationToken cancellationToken)
    {
        ActivitySource.AddActivityListener(_listener);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Dispose();
}
