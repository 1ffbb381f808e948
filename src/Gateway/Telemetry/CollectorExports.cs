using System.Collections.Concurrent;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Gateway.Telemetry;

/// <summary>
/// Tells whether the collector takes what is exported: OpenTelemetry itself says nothing of it. A refusal over gRPC is a response of 200, and is not seen.
/// It also ends the export when the process stops, within a bound.
/// </summary>
internal sealed partial class CollectorExports(IServiceProvider services, ILogger<CollectorExports> logger, TimeProvider time) : IHostedLifecycleService
{
    /// <summary>How long the end of the process waits for the collector to take the rest.</summary>
    public static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_restoredAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, Collector> _collectors = new(StringComparer.Ordinal);

    /// <summary>Reports an export.</summary>
    /// <param name="address">Host and port of the collector.</param>
    /// <param name="error">Why it was not taken; null if it was.</param>
    public void Exported(string address, string? error)
    {
        var collector = _collectors.GetOrAdd(address, static _ => new());
        lock (collector)
        {
            if (error is not null)
            {
                collector.FailedAt = time.GetTimestamp();
                if (collector.LostSince is not null) return;
                collector.LostSince = collector.FailedAt;
                Log.Lost(logger, address, error.EndsWith("CanceledException", StringComparison.Ordinal) ? "timeout" : error);
            }
            // It may take metrics and refuse spans, which are exported to one address in turn.
            else if (collector.LostSince is { } since && time.GetElapsedTime(collector.FailedAt) >= s_restoredAfter)
            {
                collector.LostSince = null;
                Log.Restored(logger, address, time.GetElapsedTime(since).TotalSeconds);
            }
        }
    }

    // This stops last, because requests are measured until then. Without it, each provider waits for seconds when it is disposed of.
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        var (tracer, meter) = (services.GetRequiredService<TracerProvider>(), services.GetRequiredService<MeterProvider>());
        var milliseconds = (int)StopTimeout.TotalMilliseconds;
        try
        {
            var spans = Task.Run(() => tracer.Shutdown(milliseconds), CancellationToken.None);
            var metrics = Task.Run(() => meter.Shutdown(milliseconds), CancellationToken.None);
            await Task.WhenAll(spans, metrics).WaitAsync(StopTimeout, CancellationToken.None);
        }
        catch (TimeoutException)
        {
            // The rest is lost.
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private sealed class Collector
    {
        public long? LostSince { get; set; }

        public long FailedAt { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.CollectorLost, LogLevel.Warning,
            "The collector {Address} does not take metrics or spans: {Error}. Its exports are lost until it does; requests are served",
            EventName = nameof(EventIds.CollectorLost))]
        public static partial void Lost(ILogger logger, string address, string error);

        [LoggerMessage(EventIds.CollectorRestored, LogLevel.Information, "The collector {Address} takes metrics or spans again after {Seconds:F0} s",
            EventName = nameof(EventIds.CollectorRestored))]
        public static partial void Restored(ILogger logger, string address, double seconds);
    }
}
