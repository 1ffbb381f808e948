using Gateway.Edge;
using IotCredentials.Failures;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Forwarding;

/// <summary>
/// A policy of YARP's without the failures that a client can cause, because a few such clients would take all destinations out. A service is healthy if it
/// responds to a slow upload before its end and closes the connection, waits for the rest of an upload, ends a WebSocket that it has accepted, takes fewer
/// headers than the client sent, or refuses streams because too many were reset. A request that the service left unanswered until the route's <c>Timeout</c>
/// is a failure.
/// </summary>
internal sealed class PassiveHealthPolicy(IPassiveHealthCheckPolicy policy) : IPassiveHealthCheckPolicy
{
    public string Name => policy.Name;

    public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
    {
        var failure = context.GetForwarderErrorFeature();
        var isOfClient = failure?.Error switch
        {
            ForwarderError.RequestBodyDestination or ForwarderError.UpgradeRequestDestination or ForwarderError.UpgradeResponseDestination => true,
            ForwarderError.RequestTimedOut => IsAwaited(context),
            _ => false,
        };
        if (isOfClient || (failure is not null && (ForwardingErrors.IsNotOfService(context, failure) || IsOfStreams(failure.Exception)))) return;
        if (failure is { Error: ForwarderError.RequestCanceled } && RouteTimeouts.HasPassed(context))
        {
            if (!IsAwaited(context)) CountTimeout(context, failure, () => policy.RequestProxied(context, cluster, destination));
            return;
        }

        policy.RequestProxied(context, cluster, destination);
    }

    // Whether the service had to wait for a part of the body that the client has not sent.
    private static bool IsAwaited(HttpContext context) => context.Request.Body is ReceivedStream { IsAwaited: true };

    // Whether the service refused the stream (REFUSED_STREAM, ENHANCE_YOUR_CALM): a client had opened or reset too many (RFC 9113, 7).
    private static bool IsOfStreams(Exception? exception) => FailureText.Find<HttpProtocolException>(exception) is { ErrorCode: 0x7 or 0xb };

    // A route's timeout cancels the request as a client that leaves does, and YARP does not count those.
    private static void CountTimeout(HttpContext context, IForwarderErrorFeature failure, Action count)
    {
        var aborted = context.RequestAborted;
        context.RequestAborted = CancellationToken.None;
        context.Features.Set<IForwarderErrorFeature>(new TimedOut(failure.Exception));
        try
        {
            count();
        }
        finally
        {
            context.Features.Set(failure);
            context.RequestAborted = aborted;
        }
    }

    private sealed record TimedOut(Exception? Exception) : IForwarderErrorFeature
    {
        public ForwarderError Error => ForwarderError.RequestTimedOut;
    }

    /// <summary>Puts one around each policy that is registered.</summary>
    public static void AddTo(IServiceCollection services)
    {
        foreach (var registered in services.Where(static service => service.ServiceType == typeof(IPassiveHealthCheckPolicy)).ToArray())
        {
            services[services.IndexOf(registered)] = ServiceDescriptor.Singleton<IPassiveHealthCheckPolicy>(provider => new PassiveHealthPolicy(
                (IPassiveHealthCheckPolicy)ActivatorUtilities.CreateInstance(provider, registered.ImplementationType!)));
        }
    }
}
