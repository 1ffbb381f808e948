using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Yarp.ReverseProxy.Model;

namespace Gateway.LoadBalancing;

/// <summary>
/// The weights of each cluster. A changed cluster is a new one for YARP: it learns from the one before which destinations have taken requests, by its name.
/// </summary>
internal sealed class WeightedClusters(TimeProvider time) : IClusterChangeListener
{
    private readonly ConditionalWeakTable<ClusterState, WeightedCluster> _clusters = [];
    private readonly ConcurrentDictionary<string, WeightedCluster> _latest = new(StringComparer.OrdinalIgnoreCase);

    public WeightedCluster Of(ClusterState cluster) =>
        _clusters.TryGetValue(cluster, out var known) ? known : _clusters.GetValue(cluster, added => new(added, null, time));

    // A cluster without weights is kept as well: by a reload it may become one with weights.
    public void OnClusterAdded(ClusterState cluster)
    {
        var added = new WeightedCluster(cluster, _latest.GetValueOrDefault(WeightedCluster.NameOf(cluster)), time);
        _clusters.AddOrUpdate(cluster, added);
        _latest[added.Name] = added;
    }

    // The next request reads the destinations.
    public void OnClusterChanged(ClusterState cluster) { }

    public void OnClusterRemoved(ClusterState cluster)
    {
        if (_clusters.TryGetValue(cluster, out var removed)) _latest.TryRemove(new(removed.Name, removed));
    }
}
