using System.Diagnostics;
using OpenTelemetry;
using OpenTelemetry.Metrics;

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

/// <summary>Looks for secrets in every metric, once, when its gateway ends.</summary>
internal sealed class CheckedMetrics : BaseExporter<Metric>
{
    public override ExportResult Export(in Batch<Metric> batch)
    {
        foreach (var metric in batch)
        {
            foreach (ref readonly var point in metric.GetMetricPoints())
            {
                foreach (var (_, value) in point.Tags) IssuedSecrets.Check($"the metric {metric.Name}", value?.ToString());
            }
        }

        return ExportResult.Success;
    }
}
