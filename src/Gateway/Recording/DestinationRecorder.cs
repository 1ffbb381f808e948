using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Gateway.Telemetry;

namespace Gateway.Recording;

/// <summary>
/// Counts the last minute of each destination of clusters with weights, for the console, from the gateway's metric. It listens between <see cref="Begin"/> and
/// <see cref="End"/>.
/// </summary>
internal sealed class DestinationRecorder(IMeterFactory meters, TimeProvider time) : IDisposable
{
    /// <summary>How many destinations are recorded.</summary>
    public const int MostDestinations = 500;

    private readonly Lock _lock = new();
    private ConcurrentDictionary<(string Cluster, string Destination), RequestWindow> _windows = [];
    private int _count;
    private MeterListener? _listener;

    /// <summary>Begins with nothing recorded.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (_listener is not null) return;
            _listener = new MeterListener
            {
                InstrumentPublished = (instrument, listener) =>
                {
                    if (instrument.Name == GatewayMetrics.DestinationDuration && instrument.Meter.Scope == meters)
                        listener.EnableMeasurementEvents(instrument);
                },
            };
            _listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => Count(seconds, tags));
            _listener.Start();
        }
    }

    /// <summary>Stops listening.</summary>
    public void End()
    {
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
            _windows = [];
            _count = 0;
        }
    }

    /// <summary>The last minute of a destination; null if it has had no request.</summary>
    /// <param name="cluster">The cluster's name.</param>
    /// <param name="destination">The destination's name, as it was written.</param>
    /// <param name="seconds">The seconds that were counted.</param>
    public MinuteRates? LastMinute(string cluster, string destination, double seconds) =>
        _windows.TryGetValue((cluster, destination), out var window) ? MinuteRates.Of(window.Sum(Second(), TrafficRecorder.RouteSlots), seconds) : null;

    public void Dispose() => End();

    private void Count(double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string? cluster = null, destination = null, status = null;
        foreach (var (name, value) in tags)
        {
            if (name == "cluster") cluster = value as string;
            else if (name == "destination") destination = value as string;
            else if (name == "status") status = value as string;
        }

        var windows = _windows;
        var key = (cluster!, destination!);
        if (!windows.TryGetValue(key, out var window))
        {
            // The dictionary's own count takes all of its locks.
            if (Volatile.Read(ref _count) >= MostDestinations) return;
            var added = new RequestWindow(TrafficRecorder.RouteSlots);
            window = windows.GetOrAdd(key, added);
            if (window == added) Interlocked.Increment(ref _count);
        }

        // An upgraded connection lasts as long as its client wants.
        window.Add(Second(), isError: status is "5xx" or "failed", duration: status is "upgrade" or "upgrade_failed" ? null : TimeSpan.FromSeconds(seconds));
    }

    private long Second() => time.GetTimestamp() / time.TimestampFrequency;
}
