using Gateway.Edge;
using Yarp.ReverseProxy.Transforms;

namespace Gateway.Forwarding.Connections;

/// <summary>
/// Keeps callers apart on HTTP/2 connections to services, which requests share: uploads that the service does not read use up a connection's window, and a
/// service closes a connection on which many streams were reset. All of a caller's requests in flight use one pool of connections, and no other caller's do
/// while there are pools enough.
/// </summary>
/// <param name="shared">For HTTP/1.1, where each request has a connection to itself, and for requests that are no caller's, such as health checks.</param>
/// <param name="create">Creates the client of a pool.</param>
internal sealed class CallerConnections(HttpMessageHandler shared, Func<HttpMessageInvoker> create) : DelegatingHandler(shared)
{
    /// <summary>How many callers are kept apart. More share pools: otherwise each client would cost every service a connection.</summary>
    public const int MostPools = 64;

    private static readonly HttpRequestOptionsKey<HttpContext> s_context = new("Gateway.Context");

    private readonly Lock _lock = new();
    private readonly List<Pool> _pools = [];
    private readonly Dictionary<string, Caller> _inFlight = new(StringComparer.Ordinal);
    private long _failures;

    // The major version that services have chosen: 2 once one has, as a WebSocket's handshake may be HTTP/1.1 all the same.
    private volatile int _chosen;

    /// <summary>Names the exchange that a request belongs to.</summary>
    public static void SetContext(RequestTransformContext transform)
    {
        if (MayBeHttp2(transform.ProxyRequest, transform.DestinationPrefix.StartsWith("https:", StringComparison.OrdinalIgnoreCase)))
            transform.ProxyRequest.Options.Set(s_context, transform.HttpContext);
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        MayBeHttp2(request, request.RequestUri!.Scheme == Uri.UriSchemeHttps) && request.Options.TryGetValue(s_context, out var context)
            ? SendAsync(request, context, cancellationToken)
            : base.SendAsync(request, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var pool in _pools) pool.Client.Dispose();
        }

        base.Dispose(disposing);
    }

    // Without TLS nothing negotiates HTTP/2.
    private static bool MayBeHttp2(HttpRequestMessage request, bool isTls) => request.Version.Major >= 2
        ? isTls || request.VersionPolicy != HttpVersionPolicy.RequestVersionOrLower
        : isTls && request.VersionPolicy == HttpVersionPolicy.RequestVersionOrHigher;

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, HttpContext context, CancellationToken cancellationToken)
    {
        var response = _chosen == 1
            ? await base.SendAsync(request, cancellationToken)
            : await Enter(context).Client.SendAsync(request, cancellationToken);
        if (_chosen < 2) _chosen = response.Version.Major;
        return response;
    }

    private Pool Enter(HttpContext context)
    {
        var key = CallerKey.Of(context);
        lock (_lock)
        {
            if (!_inFlight.TryGetValue(key, out var caller))
            {
                caller = new(PoolFor(key));
                caller.Pool.Callers++;
                _inFlight.Add(key, caller);
            }

            caller.Requests++;
            context.Response.RegisterForDispose(new Exchange(this, context, key));
            return caller.Pool;
        }
    }

    private void Leave(HttpContext context, string key)
    {
        lock (_lock)
        {
            var caller = _inFlight[key];
            if (context.GetForwarderErrorFeature() is not null) (caller.Pool.LastFailure, caller.Pool.FailedCaller) = (++_failures, key);
            if (--caller.Requests > 0) return;
            _inFlight.Remove(key);
            caller.Pool.Callers--;
        }
    }

    // A service may close a connection some time after a caller has reset its streams. So that caller returns to its pool, and others use it last.
    private Pool PoolFor(string key)
    {
        var best = _pools.MinBy(pool => (pool.Callers, pool.FailedCaller == key ? -1 : pool.LastFailure));
        if (best is { Callers: 0 } && (best.LastFailure == 0 || best.FailedCaller == key)) return best;
        if (_pools.Count == MostPools) return best!;
        var added = new Pool(create());
        _pools.Add(added);
        return added;
    }

    private sealed class Pool(HttpMessageInvoker client)
    {
        public HttpMessageInvoker Client => client;

        public int Callers { get; set; }

        public long LastFailure { get; set; }

        public string? FailedCaller { get; set; }
    }

    private sealed class Caller(Pool pool)
    {
        public Pool Pool => pool;

        public int Requests { get; set; }
    }

    private sealed class Exchange(CallerConnections connections, HttpContext context, string key) : IDisposable
    {
        public void Dispose() => connections.Leave(context, key);
    }
}
