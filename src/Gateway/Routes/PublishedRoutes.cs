using Gateway.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Routes;

/// <summary>Hands YARP the routes of the configuration that is published, and tells what became of them.</summary>
internal sealed class PublishedRoutes(GatedConfigurationProvider gate, IConfiguration configuration, IServiceProvider services)
    : IProxyConfigProvider, IConfigChangeListener, IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly Dictionary<string, (ClusterConfig Written, string Id)> _clusters = new(StringComparer.OrdinalIgnoreCase);
    private TaskCompletionSource<Exception?> _outcome = new();
    private int _revision;
    private volatile RouteTable? _current;
    private ProvenEndpoints? _endpoints;

    /// <summary>The routes that were handed out last.</summary>
    public RouteTable Current => _current!;

    /// <summary>Whether changes still reach the router. If not, only a restart brings them there.</summary>
    public bool ReachesRouter => _endpoints?.IsFollowed != false;

    /// <summary>The endpoints of these routes as far as a router can be built from them.</summary>
    public EndpointDataSource Prove(EndpointDataSource endpoints) => _endpoints = new(services, endpoints);

    /// <summary>Publishes a configuration and waits until it is in force; null, or what kept it from that.</summary>
    public async Task<Exception?> PublishAsync(Snapshot snapshot)
    {
        _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Exception? failure = null;
        try
        {
            gate.Publish(snapshot);
        }
        catch (Exception e)
        {
            // All were told, and one of them, such as a log's provider, cannot use what it reads.
            failure = e;
        }

        try
        {
            return await _outcome.Task.WaitAsync(s_patience) ?? failure;
        }
        catch (TimeoutException e)
        {
            return e;
        }
    }

    public IProxyConfig GetConfig()
    {
        // The token first, so that what is published in between is not missed; and the one that those have who find destinations, so that
        // none of them answers from before.
        var changes = configuration.GetReloadToken();
        var snapshot = gate.Current;
        _revision++;
        return _current = new RouteTable(snapshot, _revision, IdOf, changes);
    }

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs) { }

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) => Became(exception);

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs) => Became(null);

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception) => Became(exception);

    public void Dispose() => _endpoints?.Dispose();

    // YARP also loads anew when destinations moved, and may be about it, with the configuration from before, while another is published.
    private void Became(Exception? failure)
    {
        if (ReferenceEquals(_current!.Snapshot, gate.Current)) _outcome.TrySetResult(failure);
    }

    // YARP changes a cluster in place, under requests that were matched and authorized by the routes before. One that changed is a new one
    // instead, and the old one serves those requests to their end; one that did not keeps its connections and what is known of its health.
    private string IdOf(ClusterConfig written)
    {
        if (_clusters.TryGetValue(written.ClusterId, out var known) && known.Written == written) return known.Id;
        var id = _clusters.ContainsKey(written.ClusterId) ? $"{written.ClusterId}:{_revision}" : written.ClusterId;
        _clusters[written.ClusterId] = (written, id);
        return id;
    }
}
