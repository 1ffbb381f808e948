using System.Diagnostics.Metrics;

namespace Gateway.Telemetry;

/// <summary>Meters that no exporter listens to: for parts of a gateway that are built to be tried, whose counts are no requests.</summary>
internal sealed class SilentMeters : IMeterFactory
{
    private readonly List<Meter> _meters = [];

    public Meter Create(MeterOptions options)
    {
        var meter = new Meter(nameof(SilentMeters));
        _meters.Add(meter);
        return meter;
    }

    public void Dispose() => _meters.ForEach(meter => meter.Dispose());
}
