using System.Diagnostics;
using OpenTelemetry;

namespace Gateway.Telemetry;

/// <summary>
/// Takes queries off the spans: the instrumentation hides values only, and an <c>OTEL_*</c> variable has it show them. And the texts of exceptions, which quote
/// what a service sent; their types stay.
/// </summary>
internal sealed class SpansWithoutQueries : BaseProcessor<Activity>
{
    // An event of a span cannot be changed once it is there. Who adds an exception asks the listeners first, and keeps what they wrote.
    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = static source => source.Name is "System.Net.Http" or "Microsoft.AspNetCore" or "Yarp.ReverseProxy",
        ExceptionRecorder = static (Activity _, Exception exception, ref TagList tags) =>
        {
            tags.Add("exception.message", exception.GetType().Name);
            tags.Add("exception.stacktrace", "");
        },
    };

    public SpansWithoutQueries() => ActivitySource.AddActivityListener(_listener);

    public override void OnEnd(Activity data)
    {
        data.SetTag("url.query", null);
        if (data.StatusDescription is not null) data.SetStatus(data.Status);
        if (data.GetTagItem("url.full") is string url && url.IndexOfAny(['?', '#']) is >= 0 and var end) data.SetTag("url.full", url[..end]);
    }

    protected override void Dispose(bool disposing)
    {
        _listener.Dispose();
        base.Dispose(disposing);
    }
}
