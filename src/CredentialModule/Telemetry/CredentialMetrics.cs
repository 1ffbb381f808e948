using System.Diagnostics;
using System.Diagnostics.Metrics;
using IotCredentials.Failures;

namespace IotCredentials.Telemetry;

/// <summary>The metrics of vending: the meter <c>IotCredentials</c>.</summary>
internal sealed class CredentialMetrics
{
    public const string MeterName = "IotCredentials";

    // Each takes nine series, and an exporter keeps 2,000 of a counter (OpenTelemetry's cardinality limit).
    private const int MostProfilesBegun = 50;

    private readonly Counter<long> _vends;
    private readonly Histogram<double> _remainingLifetime;
    private readonly Counter<long> _refreshes;
    private readonly Counter<long> _refusedEntries;
    private readonly Histogram<double> _calls;
    private readonly Gauge<int> _packedPolicySize;
    private readonly Counter<long> _redisFailures;
    private readonly Counter<long> _directoryCalls;
    private readonly Meter _meter;

    public CredentialMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _vends = _meter.CreateCounter<long>(
            "iotcredentials.vends", "{vend}",
            "Requests for credentials, by profile, and by the source of the response, or the reason why there was none.");
        // From the minute that degraded credentials have left to the longest session of STS.
        _remainingLifetime = _meter.CreateHistogram(
            "iotcredentials.remaining_lifetime", "s", "Remaining lifetime of credentials when they were handed out.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [60, 300, 600, 900, 1200, 1800, 2700, 3600, 7200, 14400, 28800, 43200] });
        _refreshes = _meter.CreateCounter<long>(
            "iotcredentials.refreshes", "{refresh}", "Renewals behind the callers of what is cached, by what was renewed and by outcome.");
        _refusedEntries = _meter.CreateCounter<long>(
            "iotcredentials.refused_entries", "{entry}", "Entries in Redis that were not what this gateway sealed under that key: a security event.");
        // OpenTelemetry's default buckets are for milliseconds.
        _calls = _meter.CreateHistogram(
            "iotcredentials.aws.call.duration", "s", "Calls to AWS, retries included.", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] });
        _redisFailures = _meter.CreateCounter<long>("iotcredentials.redis.failures", "{failure}", "Times that Redis could not be used any more, by cause.");
        _directoryCalls = _meter.CreateCounter<long>("iotcredentials.directory.calls", "{call}", "Calls to the directory of organizations, by outcome.");
        _packedPolicySize = _meter.CreateGauge<int>("iotcredentials.packed_policy_size", "%", "STS's PackedPolicySize of the last session, of 100 allowed.");
    }

    /// <summary>
    /// Makes every counter exist from the start, so that an alert can compare with 0, by all tags that are known, or one where they have too many values. An
    /// exporter must listen already.
    /// </summary>
    public void Begin(IEnumerable<string> profiles)
    {
        foreach (var profile in profiles.Take(MostProfilesBegun))
        {
            foreach (var outcome in Enum.GetValues<VendOutcome>()) _vends.Add(0, Tag("profile", profile), Tag("outcome", WordOf(outcome)));
            foreach (var failure in Enum.GetValues<FailureClass>()) Failed(failure, profile, 0);
        }

        foreach (var kind in (string[])["credentials", "endpoint", "place"])
            foreach (var succeeded in (bool[])[true, false]) Refreshed(kind, succeeded, 0);
        foreach (var outcome in (string[])["success", "unknown", "refused", "failure"]) DirectoryCalled(outcome, 0);
        EntriesRejected(0);
        RedisFailed("error", 0);
    }

    public void Vended(VendOutcome outcome, string profile, TimeSpan remainingLifetime)
    {
        _vends.Add(1, Tag("profile", profile), Tag("outcome", WordOf(outcome)));
        _remainingLifetime.Record(remainingLifetime.TotalSeconds, Tag("profile", profile));
    }

    public void Failed(FailureClass failure, string profile, long count = 1) =>
        _vends.Add(count, Tag("profile", profile), Tag("outcome", WordOf(failure)));

    public void Refreshed(string kind, bool succeeded, long count = 1) =>
        _refreshes.Add(count, Tag("kind", kind), Tag("outcome", succeeded ? "success" : "failure"));

    public void EntriesRejected(int count) => _refusedEntries.Add(count);

    /// <summary>Counts a call to AWS.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="duration">How long it took, retries included.</param>
    /// <param name="failure">Why it failed; null if it succeeded.</param>
    public void Called(string operation, TimeSpan duration, FailureClass? failure)
    {
        var tags = new TagList { Tag("operation", operation), Tag("outcome", failure is null ? "success" : "failure") };
        if (failure is { } of) tags.Add(Tag("error.type", WordOf(of)));
        _calls.Record(duration.TotalSeconds, tags);
    }

    public void PackedPolicySize(int percent) => _packedPolicySize.Record(percent);

    public void RedisFailed(string cause, long count = 1) => _redisFailures.Add(count, Tag("cause", cause));

    public void DirectoryCalled(string outcome, long count = 1) => _directoryCalls.Add(count, Tag("outcome", outcome));

    public void ObserveDirectory(Func<bool> isUsable) => _meter.CreateObservableGauge(
        "iotcredentials.directory.usable", () => isUsable() ? 1 : 0, "1", "1 while the directory of organizations can be asked; 0 while it keeps failing.");

    public void ObserveRedis(Func<bool> isUsable) => _meter.CreateObservableGauge(
        "iotcredentials.redis.usable", () => isUsable() ? 1 : 0, "1", "1 while replicas share what is vended through Redis; 0 while Redis cannot be used.");

    public void ObserveLimit(int permitsPerSecond) => _meter.CreateObservableGauge(
        "iotcredentials.sts.limit", () => permitsPerSecond, "{call}", "Calls to STS that this process may make in a second: PermitsPerSecond.");

    public void ObserveWaiting(Func<int> waiting) =>
        _meter.CreateObservableGauge("iotcredentials.sts.waiting", waiting, "{call}", "Calls to STS that wait for a permit within IotCredentials:Sts.");

    public void ObserveCredentials(Func<bool> areTaken) => _meter.CreateObservableGauge(
        "iotcredentials.aws.credentials.taken", () => areTaken() ? 1 : 0, null,
        "1 while AWS takes the gateway's own credentials, as far as is known; 0 while it does not.");

    private static string WordOf(VendOutcome outcome) => outcome switch
    {
        VendOutcome.L1 => "l1",
        VendOutcome.Redis => "redis",
        VendOutcome.Sts => "sts",
        _ => "degraded",
    };

    private static string WordOf(FailureClass failure) => failure switch
    {
        FailureClass.Throttled => "throttled",
        FailureClass.Refused => "refused",
        FailureClass.TooShort => "tooshort",
        FailureClass.Credentials => "credentials",
        _ => "unavailable",
    };

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
