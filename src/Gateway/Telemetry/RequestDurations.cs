using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using OpenTelemetry;

namespace Gateway.Telemetry;

/// <summary>
/// Measures the duration of requests to the edge and to services, under the framework's names and tags, with a bounded status: a status registered with IANA,
/// or the class of any other, and with the tags that alerts and dashboards read. The framework's own instruments create a time series for every status that a
/// service invents, and for every method and version that a stranger tries; an exporter drops series beyond a limit, including valid ones.
/// </summary>
internal sealed class RequestDurations : IHostedService, IDisposable
{
    public const string OfServer = "http.server.request.duration";
    private const string OfClient = "http.client.request.duration";
    private const string Method = "http.request.method";
    private const string OtherMethod = "_OTHER";

    private static readonly KeyValuePair<string, object?> s_ofStranger = new("gateway.stranger", true);

    private static readonly HashSet<string> s_tags = new(StringComparer.Ordinal)
    {
        "error.type", Method, "http.response.status_code", "http.route",
        "server.address", "server.port",
    };

    private static readonly string[] s_classes = [.. Enumerable.Range(0, 10).Select(static digit => $"{digit}xx")];

    private readonly MeterListener _listener = new();

    public RequestDurations(IMeterFactory meters, CollectorExports? exports = null)
    {
        var meter = meters.Create(GatewayMetrics.MeterName);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // HTTP clients use process-wide meters, which have no scope.
            if (instrument is not Histogram<double> { Name: OfServer or OfClient } source || source.Meter == meter) return;
            if (source.Meter.Scope is null || source.Meter.Scope == meters)
                listener.EnableMeasurementEvents(source, meter.CreateHistogram(source.Name, source.Unit, source.Description, tags: null, source.Advice));
        };
        _listener.SetMeasurementEventCallback<double>((_, seconds, tags, histogram) =>
        {
            // A request of OpenTelemetry's exporters is none to a service.
            if (Sdk.SuppressInstrumentation) Report(exports, tags);
            else Record((Histogram<double>)histogram!, seconds, tags);
        });
    }

    /// <summary>Marks a request without a caller that was refused or failed. Its method is not told apart: anyone can send all to every route.</summary>
    public static void MarkStranger(HttpContext context) => context.Features.Get<IHttpMetricsTagsFeature>()?.Tags.Add(s_ofStranger);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listener.Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _listener.Dispose();

    private static void Report(CollectorExports? exports, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        object? host = null, port = null, error = null;
        foreach (var (name, value) in tags)
        {
            if (name == "server.address") host = value;
            else if (name == "server.port") port = value;
            else if (name == "error.type") error = value;
        }

        exports?.Exported($"{host}:{port}", error?.ToString());
    }

    private static void Record(Histogram<double> histogram, double seconds, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var bounded = new TagList();
        var isOfStranger = IsOfStranger(tags);
        foreach (var (name, value) in tags)
            if (s_tags.Contains(name)) bounded.Add(name, isOfStranger && name == Method ? OtherMethod : Bounded(name, value));
        histogram.Record(seconds, bounded);
    }

    private static bool IsOfStranger(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        foreach (var (name, _) in tags)
            if (name == s_ofStranger.Key) return true;
        return false;
    }

    // `error.type` is an exception's name, or the status again.
    private static object? Bounded(string tag, object? value)
    {
        if (tag is not ("http.response.status_code" or "error.type")) return value;
        var isStatus = value is int status
            || int.TryParse(Convert.ToString(value, CultureInfo.InvariantCulture), NumberStyles.None, CultureInfo.InvariantCulture, out status);
        return isStatus && !IsRegistered(status) ? s_classes[status / 100 % 10] : value;
    }

    // The statuses of IANA's Hypertext Transfer Protocol (HTTP) Status Code Registry, and the framework's 499 for a client that has disconnected.
    private static bool IsRegistered(int status) => status
        is (>= 100 and <= 104) or (>= 200 and <= 208) or 226 or (>= 300 and <= 308) or (>= 400 and <= 418) or (>= 421 and <= 426)
        or 428 or 429 or 431 or 451 or 499 or (>= 500 and <= 508) or 510 or 511;
}
