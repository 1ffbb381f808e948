using Gateway.Configuration.Snapshots;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Routes;

/// <summary>Provides the routes of the current snapshot to YARP, and reports whether YARP applied them.</summary>
internal sealed class SnapshotRoutes(SnapshotConfigurationProvider snapshots, IConfiguration configuration, IServiceProvider services)
    : IProxyConfigProvider, IConfigChangeListener, IDisposable
{
    private static readonly TimeSpan s_publishTimeout = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, (ClusterConfig Written, string Id)> _clusters = new(StringComparer.OrdinalIgnoreCase);
    private TaskCompletionSource<Exception?> _outcome = new();
    private int _revision;
    private volatile RouteTable? _current;
    private ProvenEndpoints? _endpoints;

    /// <summary>The routes that YARP received last.</summary>
    public RouteTable Current => _current!;

    /// <summary>Whether the router still receives changes. If not, only a restart restores it.</summary>
    public bool ReachesRouter => _endpoints?.IsFollowed != false;

    /// <summary>Returns the endpoints of these routes, limited to those that a router can be built from.</summary>
    public EndpointDataSource Prove(EndpointDataSource endpoints) => _endpoints = new(services, endpoints);

    /// <summary>Publishes a configuration and waits until it takes effect. Returns null, or the failure that prevented it.</summary>
    public async Task<Exception?> PublishAsync(Snapshot snapshot)
    {
        _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Exception? failure = null;
        try
        {
            snapshots.Publish(snapshot);
        }
        catch (Exception e)
        {
            // All listeners were notified, but one of them, such as a logging provider, failed to apply the new values.
            failure = e;
        }

        try
        {
            return await _outcome.Task.WaitAsync(s_publishTimeout) ?? failure;
        }
        catch (TimeoutException e)
        {
            return e;
        }
    }

    public IProxyConfig GetConfig()
    {
        // Get the token before the snapshot, so that a publish in between is not missed.
        var changes = configuration.GetReloadToken();
        var snapshot = snapshots.Current;
        _revision++;
        var table = new RouteTable(snapshot, _revision, IdOf, changes);
        // The previous configuration is published again if this one cannot take effect, so its clusters are kept.
        var kept = snapshot.Clusters.Concat(_current?.Snapshot.Clusters ?? []).Select(static cluster => cluster.ClusterId)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var gone in _clusters.Keys.Where(name => !kept.Contains(name)).ToList()) _clusters.Remove(gone);
        return _current = table;
    }

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs) { }

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) => SetOutcome(exception);

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs) => SetOutcome(null);

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception) => SetOutcome(exception);

    public void Dispose() => _endpoints?.Dispose();

    // YARP may still be applying the previous configuration when another one is published, so ignore that outcome.
    private void SetOutcome(Exception? failure)
    {
        if (ReferenceEquals(_current!.Snapshot, snapshots.Current)) _outcome.TrySetResult(failure);
    }

    // YARP changes a cluster in place, even for requests that were matched and authorized by the previous routes. A changed cluster, or one that may have
    // been there before, therefore gets a new id, and the old cluster serves those requests to their end. An unchanged cluster keeps its connections and
    // its health state.
    private string IdOf(ClusterConfig written)
    {
        if (_clusters.TryGetValue(written.ClusterId, out var known) && known.Written == written) return known.Id;
        var id = _revision == 1 ? written.ClusterId : $"{written.ClusterId}:{_revision}";
        _clusters[written.ClusterId] = (written, id);
        return id;
    }
}
