using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Testing;

namespace Gateway.Tests;

/// <summary>What one gateway measures, of all that run in this process: counters as their sum, gauges as their last value.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _values = new(StringComparer.Ordinal);

    public Measurements(RunningGateway gateway)
    {
        var factory = gateway.Services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Scope == factory) listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.Start();
    }

    /// <param name="name">The instrument's name, and after a space the values of its tags.</param>
    public long this[string name]
    {
        get
        {
            _listener.RecordObservableInstruments();
            return _values.GetValueOrDefault(name);
        }
    }

    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var key = instrument.Name;
        foreach (var (_, tag) in tags) key += $" {tag}";
        if (instrument.IsObservable) _values[key] = value;
        else _values.AddOrUpdate(key, value, (_, sum) => sum + value);
    }
}
