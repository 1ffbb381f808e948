using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using IotCredentials.Http;

namespace Gateway.Recording;

/// <summary>
/// Keeps what the console shows of vending: the organizations that were vended to last, from the audit, and outcomes and calls to AWS, from the plugin's
/// metrics. It listens to the metrics only between <see cref="Begin"/> and <see cref="End"/>.
/// </summary>
internal sealed class VendRecorder(IMeterFactory meters, TimeProvider time) : IDisposable
{
    /// <summary>How many organizations are kept.</summary>
    public const int MostOrganizations = 500;

    private const string Refreshes = "iotcredentials.refreshes";
    private const int MostRecent = 100;
    private const int MostText = 128;

    // Outcomes and operations are few. The bound holds if that changes.
    private const int MostNames = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, LinkedListNode<RecordedOrganization>> _organizations = new(StringComparer.Ordinal);
    private readonly LinkedList<RecordedOrganization> _byLastUse = new();
    private ConcurrentDictionary<string, RequestWindow> _counts = new(StringComparer.Ordinal);
    private Ring<RecordedVend> _recent = new(MostRecent);
    private MeterListener? _listener;
    private long _waiting;

    /// <summary>Begins with nothing recorded.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            if (_listener is not null) return;
            _listener = new MeterListener
            {
                InstrumentPublished = (instrument, listener) =>
                {
                    if (instrument.Meter.Name == ModuleRoute.MeterName && instrument.Meter.Scope == meters
                        && instrument.Name is "iotcredentials.vends" or Refreshes or "iotcredentials.aws.call.duration" or "iotcredentials.sts.waiting")
                        listener.EnableMeasurementEvents(instrument);
                },
            };
            _listener.SetMeasurementEventCallback<long>((instrument, count, tags, _) =>
            {
                // The counters begin at 0 when the gateway starts.
                if (count == 0) return;
                if (instrument.Name == Refreshes) Count($"refresh {Tag(tags, "kind")}", Tag(tags, "outcome") is "failure", null);
                else Count($"vend {Tag(tags, "outcome")}", false, null);
            });
            _listener.SetMeasurementEventCallback<double>((_, seconds, tags, _) => Count(
                $"call {Tag(tags, "operation")}", Tag(tags, "outcome") is "failure", TimeSpan.FromSeconds(seconds)));
            _listener.SetMeasurementEventCallback<int>((_, waiting, _, _) => Volatile.Write(ref _waiting, waiting));
            _listener.Start();
        }
    }

    /// <summary>Stops listening to the metrics.</summary>
    public void End()
    {
        lock (_lock)
        {
            _listener?.Dispose();
            _listener = null;
            _organizations.Clear();
            _byLastUse.Clear();
            _counts = new(StringComparer.Ordinal);
            _recent = new(MostRecent);
        }
    }

    /// <summary>Keeps a vend.</summary>
    public void Vended(DateTimeOffset now, string organization, string? subject, string profile, string outcome)
    {
        var caller = subject is null ? null : KeptText.Of(subject, MostText);
        _recent.Add(new(now, organization, caller, profile, outcome));
        lock (_lock)
        {
            if (_organizations.TryGetValue(organization, out var node))
            {
                _byLastUse.Remove(node);
            }
            else
            {
                if (_organizations.Count == MostOrganizations)
                {
                    _organizations.Remove(_byLastUse.Last!.Value.Organization);
                    _byLastUse.RemoveLast();
                }

                _organizations[organization] = node = new(new(organization));
            }

            node.ValueRef = node.Value with { LastUse = now, Vends = node.Value.Vends + 1, Profile = profile, Outcome = outcome };
            _byLastUse.AddFirst(node);
        }
    }

    /// <summary>The organizations that were vended to, the last one first.</summary>
    public IReadOnlyList<RecordedOrganization> Organizations()
    {
        lock (_lock) return [.. _byLastUse];
    }

    /// <summary>The last vends, the newest first.</summary>
    public IReadOnlyList<RecordedVend> Recent() => _recent.Newest();

    /// <summary>The vends of the last 15 minutes by outcome: the source of the response, or the class of the failure.</summary>
    public IReadOnlyDictionary<string, int> Outcomes() => Named("vend ").ToDictionary(static named => named.Key, static named => named.Value.Requests);

    /// <summary>The calls to AWS of the last 15 minutes, by operation.</summary>
    public IReadOnlyDictionary<string, RequestCounts> Calls() => Named("call ").ToDictionary(static named => named.Key, static named => named.Value);

    /// <summary>The renewals of the last 15 minutes in the background, by what was renewed.</summary>
    public IReadOnlyDictionary<string, RequestCounts> Refreshed() => Named("refresh ").ToDictionary(static named => named.Key, static named => named.Value);

    /// <summary>How many calls of an operation the last <see cref="TrafficRecorder.RouteSlots"/> slots have had.</summary>
    public int LastCalls(string operation) => _counts.GetValueOrDefault($"call {operation}")?.Sum(Second(), TrafficRecorder.RouteSlots).Requests ?? 0;

    /// <summary>How many calls to STS wait for a permit.</summary>
    public long Waiting()
    {
        lock (_lock) _listener?.RecordObservableInstruments();
        return Volatile.Read(ref _waiting);
    }

    public void Dispose() => End();

    private IEnumerable<KeyValuePair<string, RequestCounts>> Named(string kind) => _counts
        .Where(counted => counted.Key.StartsWith(kind, StringComparison.Ordinal))
        .OrderBy(static counted => counted.Key, StringComparer.Ordinal)
        .Select(counted => KeyValuePair.Create(counted.Key[kind.Length..], counted.Value.Sum(Second(), TrafficRecorder.Slots)));

    private void Count(string name, bool isError, TimeSpan? duration)
    {
        var counts = _counts;
        if (!counts.TryGetValue(name, out var window))
        {
            if (counts.Count >= MostNames) return;
            window = counts.GetOrAdd(name, static _ => new RequestWindow(TrafficRecorder.Slots));
        }

        window.Add(Second(), isError: isError, duration: duration);
    }

    private long Second() => time.GetTimestamp() / time.TimestampFrequency;

    private static string? Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
    {
        foreach (var (key, value) in tags)
            if (key == name) return value?.ToString();
        return null;
    }
}

/// <summary>An organization that was vended to.</summary>
internal sealed record RecordedOrganization(string Organization)
{
    public DateTimeOffset LastUse { get; init; }
    public int Vends { get; init; }
    public string? Profile { get; init; }

    /// <summary>The source of the last response.</summary>
    public string? Outcome { get; init; }
}

/// <summary>Credentials that were handed out.</summary>
internal sealed record RecordedVend(DateTimeOffset Time, string Organization, string? Subject, string Profile, string Outcome);
