using System.Diagnostics.Metrics;

namespace Gateway.Telemetry;

/// <summary>
/// Creates meters that no exporter listens to. For parts of a gateway that are built only for a trial, whose measurements must not count as requests.
/// </summary>
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
