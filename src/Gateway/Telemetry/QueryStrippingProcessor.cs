using System.Diagnostics;
using OpenTelemetry;

namespace Gateway.Telemetry;

/// <summary>
/// Removes queries from spans: the instrumentation hides only their values, and an <c>OTEL_*</c> variable turns that off. It also removes the messages of
/// exceptions, which quote a service's data; their types stay. It keeps only the beginning of the path and of the host, which clients choose: a collector
/// refuses a whole batch that is too large.
/// </summary>
internal sealed class QueryStrippingProcessor : BaseProcessor<Activity>
{
    // An event of a span cannot be changed once it is added. Before Activity adds an exception, it calls the listeners' ExceptionRecorder, and keeps the tags
    // that they set.
    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = static source => source.Name is "System.Net.Http" or "Microsoft.AspNetCore" or "Yarp.ReverseProxy",
        ExceptionRecorder = static (Activity _, Exception exception, ref TagList tags) =>
        {
            tags.Add("exception.message", exception.GetType().Name);
            tags.Add("exception.stacktrace", "");
        },
    };

    private const int LongestText = 512;

    public QueryStrippingProcessor() => ActivitySource.AddActivityListener(_listener);

    public override void OnEnd(Activity data)
    {
        foreach (var name in (ReadOnlySpan<string>)["url.query", "user_agent.original", "http.request.method_original"]) data.SetTag(name, null);
        if (data.GetTagItem("url.full") is string url && url.IndexOfAny(['?', '#']) is >= 0 and var end) data.SetTag("url.full", url[..end]);
        foreach (var name in (ReadOnlySpan<string>)["url.path", "url.full", "server.address"])
            if (data.GetTagItem(name) is string { Length: > LongestText } text) data.SetTag(name, text[..LongestText]);
        if (data.StatusDescription is not null) data.SetStatus(data.Status);
    }

    protected override void Dispose(bool disposing)
    {
        _listener.Dispose();
        base.Dispose(disposing);
    }
}
