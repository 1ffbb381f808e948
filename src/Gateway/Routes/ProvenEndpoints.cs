using Microsoft.Extensions.Primitives;

namespace Gateway.Routes;

/// <summary>
/// The routes' endpoints as the framework's router sees them: only such as a router was built from. When the framework's router cannot be
/// built from changed endpoints, it stops listening for changes for good, and the routes of that moment would stay open for ever.
/// </summary>
internal sealed class ProvenEndpoints : EndpointDataSource, IDisposable
{
    private readonly IServiceProvider _services;
    private readonly EndpointDataSource _source;
    private readonly IDisposable _listening;
    private volatile IReadOnlyList<Endpoint> _endpoints;
    private CancellationTokenSource _change = new();

    /// <summary>Proves the endpoints that there are now, and listens for others.</summary>
    /// <exception cref="Exception">No router can be built from those that there are now.</exception>
    public ProvenEndpoints(IServiceProvider services, EndpointDataSource source)
    {
        _services = services;
        _source = source;
        _endpoints = Proven();
        // It listens on, whatever the callback throws.
        _listening = ChangeToken.OnChange(source.GetChangeToken, Follow);
    }

    public override IReadOnlyList<Endpoint> Endpoints => _endpoints;

    /// <summary>Whether the framework's router is known to serve these endpoints. If not, only a restart brings it back.</summary>
    public bool IsFollowed { get; private set; } = true;

    // The sources of tokens are left to the collector: who asks for one may ask while it is replaced.
    public override IChangeToken GetChangeToken() => new CancellationChangeToken(Volatile.Read(ref _change).Token);

    public void Dispose() => _listening.Dispose();

    // What it throws reaches the one who changed the endpoints, and those from before stay.
    private void Follow()
    {
        _endpoints = Proven();
        var changed = Interlocked.Exchange(ref _change, new CancellationTokenSource());
        try
        {
            changed.Cancel();
        }
        catch
        {
            IsFollowed = false;
            throw;
        }
    }

    private IReadOnlyList<Endpoint> Proven()
    {
        var endpoints = _source.Endpoints;
        using var routing = Router.Services(_services);
        _ = new Router(routing, endpoints);
        return endpoints;
    }
}
