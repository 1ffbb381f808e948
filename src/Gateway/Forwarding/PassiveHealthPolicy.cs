using Gateway.Edge;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Forwarding;

/// <summary>
/// A policy of YARP's without the failures that a client can cause: a service that responds to a slow upload before its end and closes the connection, or
/// that waits for the rest of one, is healthy. Otherwise a few such clients would take all destinations out.
/// </summary>
internal sealed class PassiveHealthPolicy(IPassiveHealthCheckPolicy policy) : IPassiveHealthCheckPolicy
{
    public string Name => policy.Name;

    public void RequestProxied(HttpContext context, ClusterState cluster, DestinationState destination)
    {
        var isOfClient = context.GetForwarderErrorFeature()?.Error switch
        {
            ForwarderError.RequestBodyDestination => true,
            // It may be the client that has not sent the rest.
            ForwarderError.RequestTimedOut => context.Request.Body is ReceivedStream { IsReceived: false },
            _ => false,
        };
        if (!isOfClient) policy.RequestProxied(context, cluster, destination);
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
