using System.Diagnostics;
using OpenTelemetry.Trace;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Telemetry;

/// <summary>
/// Starts and continues traces when no exporter collects the gateway's own spans. A request gets the trace id that logs and services know it by, and no span is
/// filled with tags. A trace that begins here is marked as recorded, so that services still record theirs.
/// </summary>
internal sealed class TraceContextForwarding(TracerProvider? spans = null) : ITransformProvider, IHostedService, IDisposable
{
    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = static source => source.Name == "Microsoft.AspNetCore",
        Sample = static (ref ActivityCreationOptions<ActivityContext> options) =>
            options.Parent == default || options.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
                ? ActivitySamplingResult.AllDataAndRecorded
                : ActivitySamplingResult.PropagationData,
        // The trace is marked as recorded, but its tags are not set: no exporter would read them.
        ActivityStarted = static activity => activity.IsAllDataRequested = false,
    };

    public Task StartAsync(CancellationToken cancellationToken)
    {
        // ActivityListeners are process-wide. With an exporter configured, this one would strip the tags from exported spans.
        if (spans is null) ActivitySource.AddActivityListener(_listener);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context)
    {
        if (spans is null) context.AddRequestTransform(SendOn);
    }

    private static ValueTask SendOn(RequestTransformContext transform)
    {
        var headers = transform.ProxyRequest.Headers;
        headers.Remove("traceparent");
        headers.Remove("tracestate");
        if (Activity.Current is not { } activity) return default;
        headers.TryAddWithoutValidation("traceparent", activity.Id);
        if (!string.IsNullOrEmpty(activity.TraceStateString)) headers.TryAddWithoutValidation("tracestate", activity.TraceStateString);
        return default;
    }

    public void Dispose() => _listener.Dispose();
}
