using System.Diagnostics;
using OpenTelemetry;

namespace Gateway.Telemetry;

/// <summary>Takes queries off the spans. The instrumentation hides values only, and an <c>OTEL_*</c> variable has it show them.</summary>
internal sealed class SpansWithoutQueries : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        data.SetTag("url.query", null);
        if (data.GetTagItem("url.full") is string url && url.IndexOfAny(['?', '#']) is >= 0 and var end) data.SetTag("url.full", url[..end]);
    }
}
