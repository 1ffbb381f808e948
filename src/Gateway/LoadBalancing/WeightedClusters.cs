using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.LoadBalancing;

/// <summary>
/// The weights of each cluster. A changed cluster is a new one for YARP: it learns from the one before, by its name, which destinations have taken requests and
/// which are healthy.
/// </summary>
internal sealed class WeightedClusters(TimeProvider time, IDestinationHealthUpdater health, IClusterDestinationsUpdater destinations) : IClusterChangeListener
{
    // YARP's, if the cluster names none.
    private static readonly TimeSpan s_reactivationPeriod = TimeSpan.FromMinutes(1);

    private readonly ConditionalWeakTable<ClusterState, WeightedCluster> _clusters = [];
    private readonly ConcurrentDictionary<string, WeightedCluster> _latest = new(StringComparer.OrdinalIgnoreCase);

    public WeightedCluster Of(ClusterState cluster) =>
        _clusters.TryGetValue(cluster, out var known) ? known : _clusters.GetValue(cluster, added => new(added, null, time));

    // A cluster without weights is kept as well: by a reload it may become one with weights.
    public void OnClusterAdded(ClusterState cluster)
    {
        var previous = _latest.GetValueOrDefault(WeightedCluster.NameOf(cluster.ClusterId));
        if (previous is not null) KeepHealth(previous.State, cluster);
        var added = new WeightedCluster(cluster, previous, time);
        _clusters.AddOrUpdate(cluster, added);
        _latest[added.Name] = added;
    }

    // The next request reads the destinations.
    public void OnClusterChanged(ClusterState cluster) { }

    public void OnClusterRemoved(ClusterState cluster)
    {
        if (_clusters.TryGetValue(cluster, out var removed)) _latest.TryRemove(new(removed.Name, removed));
    }

    // Without this, a destination that is down would get requests after each change of the configuration, until its next health checks.
    private void KeepHealth(ClusterState before, ClusterState after)
    {
        var (checks, checksBefore) = (after.Model.Config.HealthCheck, before.Model.Config.HealthCheck);
        foreach (var destination in after.Destinations.Values)
        {
            if (!before.Destinations.TryGetValue(destination.DestinationId, out var known)) continue;
            var (now, then) = (destination.Model.Config, known.Model.Config);
            if (now.Address != then.Address) continue;
            // Other checks may find another health: an operator who mends the path of a check waits for nothing.
            if (checks?.Active == checksBefore?.Active && now.Health == then.Health) destination.Health.Active = known.Health.Active;
            // This schedules the end of a passive check's verdict as well. Nothing else would: the destination gets no requests.
            health.SetPassive(after, destination, known.Health.Passive, checks?.Passive?.ReactivationPeriod ?? s_reactivationPeriod);
        }

        destinations.UpdateAvailableDestinations(after);
    }
}
