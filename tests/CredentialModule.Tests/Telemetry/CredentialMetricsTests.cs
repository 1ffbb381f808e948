using System.Diagnostics.Metrics;
using IotCredentials.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IotCredentials.Tests.Telemetry;

public sealed class CredentialMetricsTests
{
    [Fact]
    public void D12_whatever_is_measured_in_seconds_has_buckets_from_5_ms_to_10_s_in_any_host()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var histograms = new List<Histogram<double>>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument is Histogram<double> histogram && instrument.Meter.Scope == services.GetRequiredService<IMeterFactory>())
                    histograms.Add(histogram);
            },
        };
        listener.Start();

        _ = new CredentialMetrics(services.GetRequiredService<IMeterFactory>());

        Assert.Contains(histograms, histogram => histogram.Name == "iotcredentials.aws.call.duration");
        Assert.All(histograms.Where(histogram => histogram.Unit == "s"), histogram =>
        {
            var buckets = histogram.Advice!.HistogramBucketBoundaries!;
            Assert.Equal((0.005, 10), (buckets[0], buckets[^1]));
            Assert.InRange(buckets.Count, 10, 20);
        });
    }
}
