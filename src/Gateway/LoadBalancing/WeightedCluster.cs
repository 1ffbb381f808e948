using System.Collections.Frozen;
using Gateway.Configuration.Schema;
using Yarp.ReverseProxy.Model;

namespace Gateway.LoadBalancing;

/// <summary>
/// A cluster whose destinations have weights, and since when each of them takes requests. Destinations that leave and return are noticed at the next request: a
/// cluster without requests has nothing to start slowly.
/// </summary>
internal sealed class WeightedCluster
{
    // The part of its share that a destination gets at the beginning of its slow start.
    private const double FirstPart = 0.1;

    // Multiples of the golden ratio, modulo 1, are spread evenly, and so is every part of them. A share is therefore exact after few requests, and a canary's
    // requests do not come in bursts.
    private const long Step = unchecked((long)0x9E3779B97F4A7C15);

    private readonly Lock _lock = new();
    private readonly ClusterState _cluster;
    private readonly TimeProvider _time;
    private readonly TimeSpan _slowStart;
    private long _point = Random.Shared.NextInt64();
    private volatile Taking _taking;

    /// <param name="cluster">The cluster.</param>
    /// <param name="previous">The cluster of that name in the previous configuration; null if there is none.</param>
    /// <param name="time">The clock.</param>
    public WeightedCluster(ClusterState cluster, WeightedCluster? previous, TimeProvider time)
    {
        (_cluster, _time) = (cluster, time);
        _slowStart = ClusterMetadata.Of(cluster.Model.Config.Metadata).SlowStart;
        Name = NameOf(cluster.ClusterId);
        // With no cluster before, all destinations are equally new.
        _taking = Read(cluster.DestinationsState.AvailableDestinations, previous?.SinceForNext());
    }

    /// <summary>The name that the operator gave to the cluster.</summary>
    public string Name { get; }

    /// <summary>The cluster as YARP has it.</summary>
    public ClusterState State => _cluster;

    /// <summary>The name that the operator gave to a cluster. After a change, its id has a revision behind the name.</summary>
    public static string NameOf(string clusterId) => clusterId.Split(':')[0];

    /// <summary>Those destinations that are available and take requests.</summary>
    public IReadOnlyList<DestinationState> TakingRequests => Current().Destinations;

    /// <summary>The destination of the next request, of those that take requests.</summary>
    public DestinationState Next(IReadOnlyList<DestinationState> destinations)
    {
        var taking = Current();
        // A retry chooses of fewer, by lot. The next point would follow from that of the attempt that failed: all retries would go to the same destination.
        return ReferenceEquals(destinations, taking.Destinations)
            ? taking.Weighted.At(((ulong)Interlocked.Add(ref _point, Step) >> 11) * (1.0 / (1UL << 53)))
            : new WeightedDestinations(destinations, taking.Part).At(Random.Shared.NextDouble());
    }

    /// <summary>The destination of a caller, of those that take requests.</summary>
    public DestinationState Of(ulong caller, IReadOnlyList<DestinationState> destinations)
    {
        var taking = Current();
        return (ReferenceEquals(destinations, taking.Destinations) ? taking.Weighted : new(destinations, taking.Part)).Of(caller);
    }

    /// <summary>The part of requests that a destination gets now.</summary>
    public double ShareOf(DestinationState destination) => Current().Weighted.ShareOf(destination);

    private Taking Current()
    {
        var available = _cluster.DestinationsState.AvailableDestinations;
        var taking = _taking;
        if (ReferenceEquals(available, taking.Available)) return taking;
        lock (_lock)
        {
            // Another request may have read a later list before this one entered.
            available = _cluster.DestinationsState.AvailableDestinations;
            if (ReferenceEquals(available, _taking.Available)) return _taking;
            return _taking = Read(available, _taking.Since);
        }
    }

    private Taking Read(IReadOnlyList<DestinationState> available, FrozenDictionary<string, long>? before)
    {
        DestinationState[] destinations = [.. available.Where(static destination => DestinationWeight.Of(destination).TakesRequests)];
        var now = _time.GetTimestamp();
        var longAgo = LongBefore(now);
        var since = destinations.ToFrozenDictionary(
            static destination => destination.DestinationId,
            destination => before is null ? longAgo : before.GetValueOrDefault(destination.DestinationId, now),
            StringComparer.OrdinalIgnoreCase);
        return new(available, destinations, since, _slowStart, _time);
    }

    // A slow start that is added or made longer is for destinations that come later. Those that have ended theirs are warm.
    private FrozenDictionary<string, long> SinceForNext()
    {
        var now = _time.GetTimestamp();
        return _taking.Since.ToFrozenDictionary(
            static each => each.Key,
            each => _time.GetElapsedTime(each.Value, now) >= _slowStart ? LongBefore(now) : each.Value,
            StringComparer.OrdinalIgnoreCase);
    }

    // Stands for a destination that is not new: it is longer than a slow start can be.
    private long LongBefore(long now) => now - (_time.TimestampFrequency * (long)TimeSpan.FromDays(1).TotalSeconds);

    /// <summary>The destinations that take requests, as of one list of those that are available.</summary>
    private sealed class Taking
    {
        private readonly TimeSpan _slowStart;
        private readonly TimeProvider _time;
        private readonly long _end;
        private volatile bool _hasEnded;

        public Taking(
            IReadOnlyList<DestinationState> available, DestinationState[] destinations, FrozenDictionary<string, long> since, TimeSpan slowStart,
            TimeProvider time)
        {
            (Available, Destinations, Since, _slowStart, _time) = (available, destinations, since, slowStart, time);
            _end = since.Count == 0 ? 0 : since.Values.Max() + (long)(slowStart.TotalSeconds * time.TimestampFrequency);
            _hasEnded = slowStart == TimeSpan.Zero;
            Part = PartOf;
            Weighted = new(destinations, Part);
        }

        public IReadOnlyList<DestinationState> Available { get; }

        public DestinationState[] Destinations { get; }

        /// <summary>When each destination began to take requests.</summary>
        public FrozenDictionary<string, long> Since { get; }

        public WeightedDestinations Weighted { get; }

        public Func<DestinationState, double> Part { get; }

        private double PartOf(DestinationState destination)
        {
            if (_hasEnded) return 1;
            var now = _time.GetTimestamp();
            if (now >= _end)
            {
                _hasEnded = true;
                return 1;
            }

            var begun = Since.GetValueOrDefault(destination.DestinationId, now);
            return Math.Min(1, FirstPart + ((1 - FirstPart) * _time.GetElapsedTime(begun, now).TotalSeconds / _slowStart.TotalSeconds));
        }
    }
}
