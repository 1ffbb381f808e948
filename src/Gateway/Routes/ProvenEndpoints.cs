using Microsoft.Extensions.Primitives;

namespace Gateway.Routes;

/// <summary>
/// Passes route endpoints to the framework's router only after a router was built from them. If the framework's router cannot be built from changed
/// endpoints, it permanently stops listening for changes, and the routes of that moment would stay open forever.
/// </summary>
internal sealed class ProvenEndpoints : EndpointDataSource, IDisposable
{
    private readonly IServiceProvider _services;
    private readonly EndpointDataSource _source;
    private readonly IDisposable _listening;
    private volatile IReadOnlyList<Endpoint> _endpoints;
    private CancellationTokenSource _change = new();

    /// <summary>Checks the current endpoints, and listens for changes.</summary>
    /// <exception cref="Exception">No router can be built from the current endpoints.</exception>
    public ProvenEndpoints(IServiceProvider services, EndpointDataSource source)
    {
        _services = services;
        _source = source;
        _endpoints = Proven();
        // It keeps listening even if the callback throws.
        _listening = ChangeToken.OnChange(source.GetChangeToken, Follow);
    }

    public override IReadOnlyList<Endpoint> Endpoints => _endpoints;

    /// <summary>Whether the framework's router is known to serve these endpoints. If not, only a restart restores it.</summary>
    public bool IsFollowed { get; private set; } = true;

    // Token sources are never disposed, because a caller may request a token while its source is replaced.
    public override IChangeToken GetChangeToken() => new CancellationChangeToken(Volatile.Read(ref _change).Token);

    public void Dispose() => _listening.Dispose();

    // An exception here reaches the code that changed the endpoints, and the previous endpoints stay in effect.
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
