using System.Collections.Concurrent;

namespace Gateway.Recording;

/// <summary>
/// Keeps rates, latencies and refused requests of the last minutes, for the console. It records while a console has looked within
/// <see cref="KeepsOn"/>. Otherwise a request costs one comparison. Its memory is bounded: by the number of routes that it keeps, of slots and of requests
/// per route, and by the length of each text.
/// </summary>
internal sealed class TrafficRecorder : IDisposable
{
    /// <summary>How long it goes on recording without a look. A console that is opened again within this time shows the time between.</summary>
    public static readonly TimeSpan KeepsOn = TimeSpan.FromMinutes(15);

    /// <summary>The slots of the whole gateway: 15 minutes.</summary>
    public const int Slots = 90;

    /// <summary>The slots of a route: the last full minute, and the one that is still counted.</summary>
    public const int RouteSlots = 7;

    /// <summary>How many routes are recorded. Requests of further ones count for the whole gateway only.</summary>
    public const int MostRoutes = 2000;

    /// <summary>How many refused requests are kept per route.</summary>
    public const int RefusedPerRoute = 10;

    private const int MostRecent = 100;

    private static readonly TimeSpan s_minute = TimeSpan.FromSeconds(RequestWindow.SlotSeconds * (RouteSlots - 1));

    private readonly Lock _lock = new();
    private readonly VendRecorder _vends;
    private readonly DestinationRecorder _destinations;
    private readonly TimeProvider _time;
    private readonly ITimer _end;
    private volatile Recording? _recording;

    public TrafficRecorder(VendRecorder vends, DestinationRecorder destinations, TimeProvider time)
    {
        (_vends, _destinations, _time) = (vends, destinations, time);
        _end = time.CreateTimer(_ => End(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether it records.</summary>
    public bool IsOn => _recording is not null;

    /// <summary>Goes on recording, or begins with nothing recorded.</summary>
    public void Look()
    {
        lock (_lock)
        {
            _end.Change(KeepsOn, Timeout.InfiniteTimeSpan);
            if (_recording is not null) return;
            _vends.Begin();
            _destinations.Begin();
            _recording = new Recording(_time.GetUtcNow(), _time.GetTimestamp());
        }
    }

    public void Dispose() => _end.Dispose();

    private void End()
    {
        lock (_lock)
        {
            _vends.End();
            _destinations.End();
            _recording = null;
        }
    }

    /// <summary>Records a request that has ended.</summary>
    /// <param name="route">The route's id; null if none matched.</param>
    /// <param name="status">The response's status.</param>
    /// <param name="reason">Why the gateway refused it; null if it did not.</param>
    /// <param name="duration">How long it took; null if that says nothing of the latency, as for a WebSocket.</param>
    public void Add(string? route, int status, string? reason, TimeSpan? duration)
    {
        if (_recording is not { } recording) return;
        var second = Second();
        recording.All.Add(second, reason is not null, status >= 500, duration);
        recording.RouteOf(route ?? "")?.Window.Add(second, reason is not null, status >= 500, duration);
    }

    /// <summary>Keeps a request that was refused.</summary>
    public void Refused(RefusedRequest request)
    {
        if (_recording is not { } recording) return;
        recording.Recent.Add(request);
        recording.RouteOf(request.Route ?? "")?.Refused.Add(request);
    }

    /// <summary>When the recording began; null if nothing is recorded.</summary>
    public DateTimeOffset? Since => _recording?.Since;

    /// <summary>The last minute of a route, or of the whole gateway; null if it is not recorded.</summary>
    public MinuteRates? LastMinute(string? route)
    {
        if (_recording is not { } recording) return null;
        if (!IsRecorded(route)) return null;
        var window = route is null ? recording.All : recording.Find(route)?.Window;
        var (second, counted) = (Second(), SecondsOf(recording));
        return MinuteRates.Of(window?.Sum(second, RouteSlots) ?? new(0, 0, 0, null, null), counted);
    }

    /// <summary>The last minute of a destination of a cluster with weights; null if it has had no request.</summary>
    public MinuteRates? LastMinute(string cluster, string destination) =>
        _recording is { } recording ? _destinations.LastMinute(cluster, destination, SecondsOf(recording)) : null;

    /// <summary>The seconds that the last <see cref="RouteSlots"/> slots have counted.</summary>
    public double CountedSeconds => _recording is { } recording ? SecondsOf(recording) : 1;

    /// <summary>The slots of the whole gateway, the oldest first.</summary>
    public IReadOnlyList<RequestCounts> Series()
    {
        if (_recording is not { } recording) return [];
        var second = Second();
        return [.. Enumerable.Range(0, Slots).Select(index => recording.All.Sum(second - ((Slots - 1 - index) * RequestWindow.SlotSeconds), 1))];
    }

    /// <summary>Whether a route's requests are recorded, if it has any. Those of further ones than <see cref="MostRoutes"/> are not.</summary>
    public bool IsRecorded(string? route) =>
        route is null || (_recording is { } recording && (!recording.IsFull || recording.Find(route) is not null));

    /// <summary>The requests that were refused last on a route (an empty id: on none), or on any (null).</summary>
    public IReadOnlyList<RefusedRequest> LastRefused(string? route) =>
        _recording is not { } recording ? [] : route is null ? recording.Recent.Newest() : recording.Find(route)?.Refused.Newest() ?? [];

    /// <summary>Drops the routes that no longer exist.</summary>
    public void Keep(IReadOnlySet<string> routes) => _recording?.Keep(routes);

    private long Second() => _time.GetTimestamp() / _time.TimestampFrequency;

    // The time that the last slots have counted: less than they are long at the beginning, and while the last one is not full.
    private double SecondsOf(Recording recording)
    {
        var now = _time.GetTimestamp();
        var inSlot = now / (double)_time.TimestampFrequency % RequestWindow.SlotSeconds;
        return Math.Max(1, Math.Min(_time.GetElapsedTime(recording.Began, now).TotalSeconds, s_minute.TotalSeconds + inSlot));
    }

    private sealed class Recording(DateTimeOffset since, long began)
    {
        private readonly ConcurrentDictionary<string, RouteRecording> _routes = new(StringComparer.Ordinal);
        private int _count;

        public DateTimeOffset Since { get; } = since;

        public long Began { get; } = began;

        public RequestWindow All { get; } = new(Slots);

        public Ring<RefusedRequest> Recent { get; } = new(MostRecent);

        public bool IsFull => Volatile.Read(ref _count) >= MostRoutes;

        public RouteRecording? Find(string route) => _routes.GetValueOrDefault(route);

        public RouteRecording? RouteOf(string route)
        {
            if (_routes.TryGetValue(route, out var known)) return known;
            if (IsFull) return null;
            var added = new RouteRecording();
            var kept = _routes.GetOrAdd(route, added);
            if (kept == added) Interlocked.Increment(ref _count);
            return kept;
        }

        public void Keep(IReadOnlySet<string> routes)
        {
            foreach (var route in _routes.Keys)
                if (route.Length > 0 && !routes.Contains(route) && _routes.TryRemove(route, out _)) Interlocked.Decrement(ref _count);
        }
    }

    private sealed class RouteRecording
    {
        public RequestWindow Window { get; } = new(RouteSlots);

        public Ring<RefusedRequest> Refused { get; } = new(RefusedPerRoute);
    }
}
