using System.Diagnostics.Metrics;
using BenchmarkDotNet.Attributes;
using Gateway.Recording;
using Microsoft.Extensions.DependencyInjection;

namespace Pieces;

/// <summary>What a request adds to the last minutes that the console shows, while a console is open.</summary>
public class Recording : IDisposable
{
    private static readonly TimeSpan s_duration = TimeSpan.FromMicroseconds(123);
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly VendRecorder _vends;
    private readonly DestinationRecorder _destinations;
    private readonly TrafficRecorder _traffic;

    public Recording()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _vends = new(meters, TimeProvider.System);
        _destinations = new(meters, TimeProvider.System);
        _traffic = new(_vends, _destinations, TimeProvider.System);
        _traffic.Look();
    }

    [Benchmark(Description = "recorded for the console")]
    public void Add() => _traffic.Add("organizations", 200, reason: null, s_duration);

    [GlobalCleanup]
    public void Dispose()
    {
        _traffic.Dispose();
        _vends.Dispose();
        _destinations.Dispose();
        _services.Dispose();
        GC.SuppressFinalize(this);
    }
}
