using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>The connections to services.</summary>
internal sealed class ServiceClients(ILogger<ForwarderHttpClientFactory> logger) : ForwarderHttpClientFactory(logger)
{
    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(5);

    // A service that moved is found again after this time at most, however busy its connections are.
    private static readonly TimeSpan s_connectionLifetime = TimeSpan.FromMinutes(2);

    protected override void ConfigureHandler(ForwarderHttpClientContext context, SocketsHttpHandler handler)
    {
        base.ConfigureHandler(context, handler);
        handler.ConnectTimeout = s_connectTimeout;
        handler.PooledConnectionLifetime = s_connectionLifetime;
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
