using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry;

namespace Testing;

/// <summary>Looks for secrets in every span.</summary>
internal sealed class CheckedSpans : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        Check(data.DisplayName);
        Check(data.StatusDescription);
        Check(data.TraceStateString);
        foreach (var (_, value) in data.Baggage) Check(value);
        foreach (var (_, value) in data.EnumerateTagObjects()) Check(value?.ToString());
        foreach (ref readonly var happened in data.EnumerateEvents())
        {
            foreach (var (_, value) in happened.EnumerateTagObjects()) Check(value?.ToString());
        }
    }

    private static void Check(string? text) => IssuedSecrets.Check("a span", text);
}

/// <summary>Looks for secrets in the tags of every measurement of a gateway.</summary>
internal sealed class CheckedMetrics : IDisposable
{
    private readonly MeterListener _listener = new();

    public CheckedMetrics(IMeterFactory meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Meters without a scope are process-wide, such as those of HTTP clients.
            if (instrument.Meter.Scope is null || instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<int>(Check);
        _listener.SetMeasurementEventCallback<long>(Check);
        _listener.SetMeasurementEventCallback<double>(Check);
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.RecordObservableInstruments();
        _listener.Dispose();
    }

    private static void Check<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        foreach (var (_, tag) in tags)
        {
            if (tag is string text) IssuedSecrets.Check($"the metric {instrument.Name}", text);
        }
    }
}
