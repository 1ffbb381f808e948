using Gateway.Explanations;
using Gateway.LoadBalancing;
using Gateway.Recording;
using Gateway.Routes;
using Yarp.ReverseProxy;

namespace Gateway.Management.Console;

/// <summary>The routes and clusters in effect, with what the last minute has had of them.</summary>
internal sealed class ConsoleRoutes(
    SnapshotRoutes routes, EndpointDataSource endpoints, IServiceProvider services, IProxyStateLookup proxy, WeightedClusters weights, TrafficRecorder recorder)
{
    private volatile Rows? _rows;

    /// <summary>The endpoints of the routes, in the order they are matched.</summary>
    public IReadOnlyList<RouteEndpoint> Endpoints()
    {
        var table = routes.Current;
        return [.. RouteOrder.Of(services, endpoints.Endpoints).Where(endpoint => table.Has(endpoint.RouteId()))];
    }

    /// <summary>The routes, in the order they are matched.</summary>
    public IReadOnlyList<LiveRoute> Routes()
    {
        var rows = Current();
        recorder.Keep(rows.Ids);
        return [.. rows.Routes.Select(row => new LiveRoute(row, RouteText.Who(row), row.Target.ToString(), recorder.LastMinute(row.Route)))];
    }

    /// <summary>The clusters, by name.</summary>
    public IReadOnlyList<LiveCluster> Clusters()
    {
        var table = routes.Current;
        return [.. table.Clusters.Zip(table.Snapshot.Clusters).OrderBy(static pair => pair.Second.ClusterId, StringComparer.Ordinal).Select(pair =>
        {
            if (!proxy.TryGetCluster(pair.First.ClusterId, out var cluster)) return new LiveCluster(pair.Second.ClusterId, pair.Second.LoadBalancingPolicy, []);
            var state = cluster.DestinationsState;
            var weighted = WeightedPolicies.Has(pair.Second.LoadBalancingPolicy) ? weights.Of(cluster) : null;
            return new LiveCluster(pair.Second.ClusterId, pair.Second.LoadBalancingPolicy,
            [
                .. state.AllDestinations.OrderBy(static destination => destination.DestinationId, StringComparer.Ordinal).Select(destination =>
                    new LiveDestination(
                        destination.DestinationId, RouteTargetRow.WithoutUser(destination.Model.Config.Address), destination.Health.Active.ToString(),
                        destination.Health.Passive.ToString(), state.AvailableDestinations.Contains(destination), destination.ConcurrentRequestCount,
                        weighted is null ? null : DestinationWeight.Of(destination).Weight,
                        weighted is null ? null : Math.Round(weighted.ShareOf(destination), 4),
                        weighted is null ? null : recorder.LastMinute(weighted.Name, DestinationWeight.Of(destination).Name))),
            ]);
        })];
    }

    // Rows are made once per configuration: a console asks for them every few seconds.
    private Rows Current()
    {
        var (table, all) = (routes.Current, endpoints.Endpoints);
        if (_rows is { } rows && rows.Table == table && rows.All == all) return rows;
        return _rows = new(table, all, [.. Endpoints().Select(endpoint => RouteRow.Of(endpoint, table, table.Snapshot))]);
    }

    private sealed record Rows(RouteTable Table, IReadOnlyList<Endpoint> All, IReadOnlyList<RouteRow> Routes)
    {
        public HashSet<string> Ids { get; } = [.. Routes.Select(static row => row.Route)];
    }
}

/// <summary>A route, who may use it and its target in words, and its last minute.</summary>
internal sealed record LiveRoute(RouteRow Route, string Who, string Target, MinuteRates? Live);

/// <summary>A cluster with its destinations.</summary>
internal sealed record LiveCluster(string Cluster, string? LoadBalancingPolicy, IReadOnlyList<LiveDestination> Destinations);

/// <summary>A destination, as its health checks find it. Weight, share of requests and last minute are those of clusters with weights.</summary>
internal sealed record LiveDestination(
    string Destination, string Address, string Active, string Passive, bool Available, int ConcurrentRequests, int? Weight, double? Share,
    MinuteRates? Live);
