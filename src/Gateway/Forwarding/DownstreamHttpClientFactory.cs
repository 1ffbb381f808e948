using System.Text;
using Gateway.Configuration.Schema;
using Gateway.Forwarding.Connections;
using OpenTelemetry.Trace;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>Creates the HTTP clients for services.</summary>
internal class DownstreamHttpClientFactory(
    ILogger<ForwarderHttpClientFactory> logger, RequestsInFlight requests, TracerProvider? spans = null) : ForwarderHttpClientFactory(logger)
{
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(5);

    // How long a body is held back for a service that responds to no expectation.
    private static readonly TimeSpan s_expectTimeout = TimeSpan.FromMilliseconds(250);

    // After a service has moved, it is found within this time, however busy its connections are.
    private static readonly TimeSpan s_connectionLifetime = TimeSpan.FromMinutes(2);

    private readonly ILogger<ForwarderHttpClientFactory> _logger = logger;

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        handler.ConnectTimeout = s_connectTimeout;
        handler.ConnectCallback = requests.ConnectAsync;
        handler.Expect100ContinueTimeout = s_expectTimeout;
        handler.PooledConnectionIdleTimeout = KeptFor(ClusterMetadata.Of(context.NewMetadata).IdleTimeout);
        handler.PooledConnectionLifetime = s_connectionLifetime;
        // The pool would hand a connection on to a request that waits for one, without an idle time between them.
        if (handler.PooledConnectionIdleTimeout == TimeSpan.Zero) UseConnectionsOnce(handler);
        // The propagator makes the client start a span for each request, collected or not. Without an exporter, TraceContextForwarding sends the trace on.
        if (spans is null) handler.ActivityHeadersPropagator = null;
        // Kestrel reads request headers as UTF-8. Without this, a non-ASCII character would fail the request as the service's failure, and a client could have
        // the service marked unhealthy.
        handler.RequestHeaderEncodingSelector ??= static (_, _) => Encoding.UTF8;
        // Each byte becomes one character, and Kestrel writes it as that byte again. So UTF-8 and Latin-1 pass as the service wrote them.
        handler.ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
    }

    // The pool removes idle connections four times within this time, but once a second at most. Until then it still uses them.
    private static TimeSpan KeptFor(TimeSpan idleTimeout)
    {
        var betweenLooks = TimeSpan.FromSeconds(1);
        return idleTimeout > 5 * betweenLooks ? idleTimeout * 0.8 : idleTimeout > betweenLooks ? idleTimeout - betweenLooks : TimeSpan.Zero;
    }

    // YARP compares only its own settings.
    protected override bool CanReuseOldClient(ForwarderHttpClientContext context) => base.CanReuseOldClient(context)
        && ClusterMetadata.Of(context.OldMetadata).IdleTimeout == ClusterMetadata.Of(context.NewMetadata).IdleTimeout;

    private static void UseConnectionsOnce(SocketsHttpHandler handler)
    {
        handler.PooledConnectionLifetime = TimeSpan.Zero;
        // Without a limit of connections, the client would keep no pools either, and an HTTP/2 connection stay open until the service closes it.
        handler.MaxConnectionsPerServer = Math.Min(handler.MaxConnectionsPerServer, int.MaxValue - 1);
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler)
    {
        // The context itself would keep the client before this one in memory. A limit of connections holds for all callers together.
        var cluster = new ForwarderHttpClientContext { ClusterId = context.ClusterId, NewConfig = context.NewConfig, NewMetadata = context.NewMetadata };
        var pools = context.NewConfig.MaxConnectionsPerServer is null
            ? new CallerConnections(handler, () => new Inner(_logger, requests, spans, usesConnectionsOnce: false).CreateClient(cluster))
            : handler;
        return new ServiceExchange(pools, new Inner(_logger, requests, spans, usesConnectionsOnce: true).CreateClient(cluster));
    }

    /// <summary>Creates the same clients without their wrapping.</summary>
    /// <param name="logger">YARP's logger.</param>
    /// <param name="requests">The bound on connections.</param>
    /// <param name="spans">Spans that are exported, if any are.</param>
    /// <param name="usesConnectionsOnce">Whether each connection is for one request.</param>
    private sealed class Inner(ILogger<ForwarderHttpClientFactory> logger, RequestsInFlight requests, TracerProvider? spans, bool usesConnectionsOnce)
        : DownstreamHttpClientFactory(logger, requests, spans)
    {
        protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
        {
            base.ConfigureHandler(context, handler);
            if (usesConnectionsOnce) UseConnectionsOnce(handler);
        }

        protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) => handler;
    }
}
