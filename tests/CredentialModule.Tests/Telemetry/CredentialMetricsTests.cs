using System.Diagnostics.Metrics;
using IotCredentials.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace IotCredentials.Tests.Telemetry;

public sealed class CredentialMetricsTests
{
    [Fact]
    public void D12_durations_have_buckets_from_5_ms_to_10_s_and_lifetimes_from_a_minute_to_12_h_in_any_host()
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

        var ranges = histograms.OrderBy(histogram => histogram.Name, StringComparer.Ordinal).Select(histogram =>
        {
            var buckets = histogram.Advice!.HistogramBucketBoundaries!;
            Assert.InRange(buckets.Count, 10, 20);
            return (histogram.Name, histogram.Unit, buckets[0], buckets[^1]);
        });
        Assert.Equal([("iotcredentials.aws.call.duration", "s", 0.005, 10), ("iotcredentials.remaining_lifetime", "s", 60, 43200)], ranges);
    }
}
