using System.Text;
using Gateway.Configuration;
using OpenTelemetry.Trace;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>The connections to services.</summary>
internal sealed class ServiceClients(ILogger<ForwarderHttpClientFactory> logger, TracerProvider? spans = null) : ForwarderHttpClientFactory(logger)
{
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(5);

    // A service that moved is found again after this time at most, however busy its connections are.
    private static readonly TimeSpan s_connectionLifetime = TimeSpan.FromMinutes(2);

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        handler.ConnectTimeout = s_connectTimeout;
        handler.PooledConnectionLifetime = s_connectionLifetime;
        handler.PooledConnectionIdleTimeout = KeptFor(ClusterMetadata.Of(context.NewMetadata).IdleTimeout);
        // It makes a span of each request, collected or not. Without, UnrecordedTraces sends the trace on.
        if (spans is null) handler.ActivityHeadersPropagator = null;
        // As Kestrel reads it. Else a letter beyond ASCII is a failure of the service, and a client could have it counted out.
        handler.RequestHeaderEncodingSelector ??= static (_, _) => Encoding.UTF8;
        // Each byte is one character, and Kestrel writes it as that byte again: UTF-8 and Latin-1 pass as the service wrote them.
        handler.ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1;
    }

    // The pool looks for idle connections four times in this time, but once a second at most, and uses each one until it does.
    private static TimeSpan KeptFor(TimeSpan idleTimeout)
    {
        var betweenLooks = TimeSpan.FromSeconds(1);
        return idleTimeout > 5 * betweenLooks ? idleTimeout * 0.8 : idleTimeout > betweenLooks ? idleTimeout - betweenLooks : TimeSpan.Zero;
    }

    protected override HttpMessageHandler WrapHandler(ForwarderHttpClientContext context, HttpMessageHandler handler) => new SentOnce(handler);

    /// <summary>
    /// Keeps the client from sending a request without a body again, of any method, when a connection closes before its answer: it does so up
    /// to three times, and a POST must not happen twice. One with a body, be it empty, it sends once, and on the wire both are the same.
    /// </summary>
    private sealed class SentOnce(HttpMessageHandler handler) : DelegatingHandler(handler)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content is null && !Retries.IsIdempotent(request.Method.Method) && request.Method != HttpMethod.Connect) request.Content = new ByteArrayContent([]);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
