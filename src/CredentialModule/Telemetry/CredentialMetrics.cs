using System.Diagnostics.Metrics;
using IotCredentials.Failures;

namespace IotCredentials.Telemetry;

/// <summary>The metrics of vending: the meter <c>IotCredentials</c>.</summary>
internal sealed class CredentialMetrics
{
    public const string MeterName = "IotCredentials";

    private readonly Counter<long> _vends;
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
            "Requests for credentials, by the source of the response, or the reason why there was none.");
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

    public void Vended(VendOutcome outcome) => _vends.Add(1, Tag("outcome", outcome switch
    {
        VendOutcome.L1 => "l1",
        VendOutcome.Redis => "redis",
        VendOutcome.Sts => "sts",
        _ => "degraded",
    }));

    public void Failed(FailureClass failure) => _vends.Add(1, Tag("outcome", failure.ToString().ToLowerInvariant()));

    public void EntriesRefused(int count) => _refusedEntries.Add(count);

    public void Called(string operation, TimeSpan duration, bool succeeded) =>
        _calls.Record(duration.TotalSeconds, Tag("operation", operation), Tag("outcome", succeeded ? "success" : "failure"));

    public void PackedPolicySize(int percent) => _packedPolicySize.Record(percent);

    public void RedisFailed(string cause) => _redisFailures.Add(1, Tag("cause", cause));

    public void DirectoryCalled(string outcome) => _directoryCalls.Add(1, Tag("outcome", outcome));

    public void ObserveDirectory(Func<bool> isUsable) => _meter.CreateObservableGauge(
        "iotcredentials.directory.usable", () => isUsable() ? 1 : 0, "1", "1 while the directory of organizations can be asked; 0 while it keeps failing.");

    public void ObserveRedis(Func<bool> isUsable) => _meter.CreateObservableGauge(
        "iotcredentials.redis.usable", () => isUsable() ? 1 : 0, "1", "1 while replicas share what is vended through Redis; 0 while Redis cannot be used.");

    public void ObserveWaiting(Func<int> waiting) =>
        _meter.CreateObservableGauge("iotcredentials.sts.waiting", waiting, "{call}", "Calls to STS that wait for a permit within IotCredentials:Sts.");

    public void ObserveCredentials(Func<bool> areTaken) => _meter.CreateObservableGauge(
        "iotcredentials.aws.credentials.taken", () => areTaken() ? 1 : 0, null,
        "1 while AWS takes the gateway's own credentials, as far as is known; 0 while it does not.");

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
