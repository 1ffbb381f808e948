using System.Diagnostics.Metrics;
using Gateway.Authentication;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Telemetry;

/// <summary>The gateway's own metrics: the meter <c>Gateway</c>.</summary>
internal sealed class GatewayMetrics : IDisposable
{
    public const string MeterName = "Gateway";

    /// <summary>The names of the metrics by route, which need room for all routes.</summary>
    public const string RouteRequests = "gateway.requests", RouteRefusals = "gateway.refusals";

    /// <summary>The name of the metric by destination, which the console reads as well.</summary>
    public const string DestinationDuration = "gateway.destination.duration";

    private readonly Counter<long> _limited;
    private readonly Counter<long> _fallbacks;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _entriesDropped;
    private readonly Counter<long> _reloads;
    private readonly Counter<long> _forwardingErrors;
    private readonly Counter<long> _authentications;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _requests;
    private readonly Counter<long> _issuerFetches;
    private readonly Counter<long> _introspectionCalls;
    private readonly Counter<long> _connectionsClosed;
    private readonly Counter<long> _upgradesRefused;
    private readonly Histogram<double> _destinationDuration;
    private readonly IMeterFactory _meters;
    private readonly Meter _meter;
    private readonly TimeProvider _time;
    private Meter? _configuration;
    private string? _hash;
    private Meter? _destinations;
    private volatile bool _isRefused;
    private long _appliedAt;

    public GatewayMetrics(IMeterFactory meters, TimeProvider time)
    {
        (_meters, _time) = (meters, time);
        _appliedAt = time.GetTimestamp();
        var meter = _meter = meters.Create(MeterName);
        // The framework's instrument and tags: this gateway counts in its place, and by the name of the limit.
        _limited = meter.CreateCounter<long>(
            "aspnetcore.rate_limiting.requests", "{request}", "Requests on routes with a limit, by the limit and by whether it let them through.");
        _fallbacks = meter.CreateCounter<long>(
            "gateway.rate_limit.fallbacks", "{request}", "Requests whose limit in Redis could not be asked and that this replica counted for itself.");
        _dropped = meter.CreateCounter<long>("gateway.access_log.dropped", "{line}", "Lines of the access log that were not written.");
        _entriesDropped = meter.CreateCounter<long>(
            "gateway.log.dropped", "{entry}",
            "Entries of the audit log, or of the ordinary log, that were lost because their output was not read or not writable.");
        _reloads = meter.CreateCounter<long>(
            "gateway.configuration.reloads", "{reload}", "Changes of the configuration, by whether they were applied or refused.");
        _forwardingErrors = meter.CreateCounter<long>("gateway.forwarding.errors", "{try}", "Tries to forward a request that failed on the service's side.");
        _authentications = meter.CreateCounter<long>(
            "gateway.authentications", "{request}", "Requests with a token or an API key, by its scheme and by whether it was accepted.");
        _refusals = meter.CreateCounter<long>(
            RouteRefusals, "{request}", "Requests that the gateway refused or failed itself, by route and reason.");
        _requests = meter.CreateCounter<long>(
            RouteRequests, "{request}", "Requests to the gateway, by route and by whether the response was a 5xx.");
        _issuerFetches = meter.CreateCounter<long>(
            "gateway.issuer.fetches", "{fetch}", "Fetches of an issuer's discovery document and keys, by its scheme and by outcome.");
        _introspectionCalls = meter.CreateCounter<long>(
            "gateway.introspection.calls", "{call}", "Calls to the introspection endpoint about a caller's token or key, by outcome.");
        _connectionsClosed = meter.CreateCounter<long>(
            "gateway.connections.closed", "{connection}", "Connections that were closed for one of the edge's bounds, by reason: address, all or silent.");
        _upgradesRefused = meter.CreateCounter<long>(
            "gateway.upgrades.refused", "{request}", "Upgrades that were refused, by the bound that was reached: all or caller.");
        _destinationDuration = meter.CreateHistogram(
            DestinationDuration, "s", "Attempts at a destination of a cluster with weights, to the end of the response, by the class of its status.",
            tags: null, new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
            });
        meter.CreateObservableGauge(
            "gateway.configuration.age", () => time.GetElapsedTime(Volatile.Read(ref _appliedAt)).TotalSeconds, "s",
            "Time since the configuration in effect was applied.");
        meter.CreateObservableGauge(
            "gateway.configuration.refused", () => _isRefused ? 1 : 0, description: "1 while the files hold a change that is not used.");
    }

    /// <summary>
    /// Makes every counter exist from the start, so that an alert can compare with 0, by all tags that are known, or one where they have too many values. An
    /// exporter must listen already.
    /// </summary>
    /// <param name="snapshot">The configuration in effect.</param>
    /// <param name="schemes">The schemes of issuers.</param>
    public void Begin(Snapshot snapshot, IEnumerable<string> schemes)
    {
        AccessLinesDropped(0);
        AuditEntriesDropped(0);
        LogEntriesDropped(0);
        foreach (var outcome in (string[])["applied", "refused"]) _reloads.Add(0, new KeyValuePair<string, object?>("outcome", outcome));
        foreach (var isAccepted in (bool?[])[true, false, null]) Introspected(isAccepted, 0);
        foreach (var reason in (string[])["address", "all", "silent"]) ConnectionClosed(reason, 0);
        foreach (var isOfCaller in (bool[])[true, false]) UpgradeRefused(isOfCaller, 0);
        Refused(null, GatewayReason.NoRoute, 0);
        foreach (var route in snapshot.Routes.Select(static route => route.RouteId).Prepend(null))
            foreach (var status in (int[])[StatusCodes.Status200OK, StatusCodes.Status500InternalServerError]) Responded(route, status, 0);
        foreach (var scheme in schemes)
        {
            foreach (var outcome in Enum.GetValues<AuthenticationOutcome>()) Authenticated(scheme, outcome, 0);
            foreach (var succeeded in (bool[])[true, false]) IssuerFetched(scheme, succeeded, 0);
        }

        foreach (var scheme in (string?[])[ApiKey.Scheme, IntrospectionAuthentication.Scheme, null])
            foreach (var outcome in Enum.GetValues<AuthenticationOutcome>()) Authenticated(scheme, outcome, 0);
        foreach (var (limit, options) in snapshot.Options.RateLimiting.Policies)
        {
            foreach (var isAcquired in (bool[])[true, false]) LimitChecked(limit, isAcquired, 0);
            if (options.Store == RateLimitStore.Redis) LimitFellBack(limit, 0);
        }

        foreach (var cluster in snapshot.Clusters) ForwardingFailed(cluster.ClusterId, nameof(ForwarderError.Request), 0);
    }

    /// <summary>Reports the hash of the configuration in effect. An exporter would keep the series of earlier hashes, so each has a meter that ends with it.</summary>
    public void ConfigurationIs(string hash)
    {
        // Until the next scrape the exporter keeps the room of each meter that has ended.
        if (Interlocked.Exchange(ref _hash, hash) == hash) return;
        Replace(ref _configuration).CreateObservableGauge(
            "gateway.configuration.info", () => new Measurement<int>(1, new KeyValuePair<string, object?>("hash", hash)),
            description: "1, with the hash of the configuration in effect.");
    }

    /// <summary>Reports per scheme whether its issuer's keys can be read.</summary>
    public void ObserveIssuers(Func<IEnumerable<(string Scheme, bool IsUnavailable)>> issuers) => _meter.CreateObservableGauge(
        "gateway.issuer.unavailable",
        () => issuers().Select(static issuer => new Measurement<int>(issuer.IsUnavailable ? 1 : 0, new KeyValuePair<string, object?>("scheme", issuer.Scheme))),
        description: "1 while the keys of the scheme's issuer cannot be read.");

    /// <summary>Reports per scheme how long ago its issuer's keys were read. A scheme whose keys were never read has no value.</summary>
    public void ObserveKeys(Func<IEnumerable<(string Scheme, TimeSpan Age)>> keys) => _meter.CreateObservableGauge(
        "gateway.issuer.keys.age",
        () => keys().Select(static key => new Measurement<double>(key.Age.TotalSeconds, new KeyValuePair<string, object?>("scheme", key.Scheme))),
        "s", "Time since the keys of the scheme's issuer were last read.");

    /// <summary>
    /// Reports which destinations health checks have taken out, of clusters that have such checks. Call it again when there are other destinations: an exporter
    /// would keep the series of earlier ones.
    /// </summary>
    public void ObserveDestinations(Func<IEnumerable<(string Cluster, string Destination, bool IsUnhealthy)>> destinations) =>
        Replace(ref _destinations).CreateObservableGauge(
            "gateway.destination.unhealthy",
            () => destinations().Select(static each => new Measurement<int>(
                each.IsUnhealthy ? 1 : 0, new KeyValuePair<string, object?>("cluster", each.Cluster), new("destination", each.Destination))),
            description: "1 from when a health check takes the destination out until a check or a request succeeds.");

    /// <summary>Reports how many upgraded connections there are.</summary>
    public void ObserveUpgrades(Func<int> count) => _meter.CreateObservableGauge(
        "gateway.upgrades.active", count, "{connection}", "Upgraded connections, such as WebSockets, over HTTP/1.1 and HTTP/2.");

    /// <summary>Reports how long the edge's certificates are valid, by their files.</summary>
    public void ObserveCertificates(Func<IEnumerable<(string File, DateTimeOffset NotAfter)>> certificates) => _meter.CreateObservableGauge(
        "gateway.certificate.remaining_lifetime",
        () => certificates().Select(each => new Measurement<double>(
            (each.NotAfter - _time.GetUtcNow()).TotalSeconds, new KeyValuePair<string, object?>("file.path", each.File))),
        "s", "Time until the certificate that the edge presents expires; negative when it has expired.");

    public void Dispose()
    {
        _configuration?.Dispose();
        _destinations?.Dispose();
    }

    public void IssuerFetched(string scheme, bool succeeded, long count = 1) => _issuerFetches.Add(
        count, new KeyValuePair<string, object?>("scheme", scheme), new KeyValuePair<string, object?>("outcome", succeeded ? "success" : "failure"));

    /// <summary>Counts a call about a caller's token or key.</summary>
    /// <param name="isAccepted">Whether the response names a caller; null if there was no usable response.</param>
    /// <param name="count">How many.</param>
    public void Introspected(bool? isAccepted, long count = 1) => _introspectionCalls.Add(count, new KeyValuePair<string, object?>("outcome", isAccepted switch
    {
        true => "accepted",
        false => "refused",
        null => "failure",
    }));

    /// <summary>Reports whether the introspection endpoint can be asked.</summary>
    public void ObserveIntrospection(Func<bool> isUnavailable) => _meter.CreateObservableGauge(
        "gateway.introspection.unavailable", () => isUnavailable() ? 1 : 0, description: "1 while the introspection endpoint cannot be asked.");

    /// <summary>Counts a request's token or key.</summary>
    /// <param name="scheme">The scheme; null when no scheme takes it.</param>
    /// <param name="outcome">The result.</param>
    /// <param name="count">How many.</param>
    public void Authenticated(string? scheme, AuthenticationOutcome outcome, long count = 1) => _authentications.Add(
        count, new KeyValuePair<string, object?>("scheme", scheme ?? "none"), new KeyValuePair<string, object?>("outcome", outcome switch
        {
            AuthenticationOutcome.Accepted => "accepted",
            AuthenticationOutcome.Refused => "refused",
            AuthenticationOutcome.LockedOut => "locked_out",
            _ => "unavailable",
        }));

    /// <summary>Counts a request. Alerts on errors read this metric: its series exist before the first error, and no caller can make others.</summary>
    /// <param name="route">The route's id; null if none matched.</param>
    /// <param name="status">The response's status.</param>
    /// <param name="count">How many.</param>
    public void Responded(string? route, int status, long count = 1) => _requests.Add(
        count, new KeyValuePair<string, object?>("route", route ?? "none"),
        new KeyValuePair<string, object?>("status", status >= StatusCodes.Status500InternalServerError ? "5xx" : "other"));

    /// <summary>Counts a request that the gateway refused or failed.</summary>
    /// <param name="route">The route's id; null if none matched.</param>
    /// <param name="reason">The reason, one of a bounded set.</param>
    /// <param name="count">How many.</param>
    public void Refused(string? route, string reason, long count = 1) =>
        _refusals.Add(count, new KeyValuePair<string, object?>("route", route ?? "none"), new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Counts a request on a route with a limit.</summary>
    public void LimitChecked(string policy, bool isAcquired, long count = 1) => _limited.Add(
        count, new KeyValuePair<string, object?>("aspnetcore.rate_limiting.policy", policy),
        new KeyValuePair<string, object?>("aspnetcore.rate_limiting.result", isAcquired ? "acquired" : "endpoint_limiter"));

    public void LimitFellBack(string policy, long count = 1) => _fallbacks.Add(count, new KeyValuePair<string, object?>("policy", policy));

    /// <summary>Counts a connection that was closed: because its client was silent, or because its address, or all together, held too many.</summary>
    public void ConnectionClosed(string reason, long count = 1) => _connectionsClosed.Add(count, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Counts an upgrade that was refused: because its caller, or because all callers together, held as many as allowed.</summary>
    public void UpgradeRefused(bool isOfCaller, long count = 1) =>
        _upgradesRefused.Add(count, new KeyValuePair<string, object?>("bound", isOfCaller ? "caller" : "all"));

    public void AccessLinesDropped(long lines) => _dropped.Add(lines);

    public void AuditEntriesDropped(long entries) => _entriesDropped.Add(entries, new KeyValuePair<string, object?>("log", "audit"));

    public void LogEntriesDropped(long entries) => _entriesDropped.Add(entries, new KeyValuePair<string, object?>("log", "other"));

    public void ForwardingFailed(string cluster, string error, long count = 1) =>
        _forwardingErrors.Add(count, new KeyValuePair<string, object?>("cluster", cluster), new KeyValuePair<string, object?>("error", error));

    /// <summary>Measures an attempt at a destination of a cluster with weights.</summary>
    public void DestinationResponded(string cluster, string destination, string status, TimeSpan duration) => _destinationDuration.Record(
        duration.TotalSeconds, new KeyValuePair<string, object?>("cluster", cluster), new KeyValuePair<string, object?>("destination", destination),
        new KeyValuePair<string, object?>("status", status));

    public void Reloaded(bool isRefused, bool isApplied)
    {
        _isRefused = isRefused;
        if (isApplied) Volatile.Write(ref _appliedAt, _time.GetTimestamp());
        _reloads.Add(1, new KeyValuePair<string, object?>("outcome", isRefused ? "refused" : "applied"));
    }

    // The series of a meter end with it.
    private Meter Replace(ref Meter? meter)
    {
        meter?.Dispose();
        return meter = new Meter(new MeterOptions(MeterName) { Scope = _meters });
    }
}
