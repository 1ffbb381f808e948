using Gateway.Configuration;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>The way to a service: what it learns, over which connections, and what becomes of a try that fails.</summary>
internal static class ForwardingExtensions
{
    public static IReverseProxyBuilder AddForwarding(this IReverseProxyBuilder proxy)
    {
        proxy.Services.AddSingleton(static services => GatewayName.Of(services.GetRequiredService<GatedConfigurationProvider>().Current));
        proxy.Services.AddSingleton<ITransformProvider, IdentityHeaders>();
        proxy.Services.AddSingleton<ITransformProvider, ForwardedTargets>();
        proxy.Services.AddSingleton<ITransformProvider, ForwardedResponses>();
        proxy.Services.AddSingleton<ITransformProvider, Streams>();
        proxy.Services.AddSingleton<IForwarderHttpClientFactory, ServiceClients>();
        // Of a minute, which is YARP's own, a destination that is back would have to live down the failures before it is used.
        proxy.Services.Configure<TransportFailureRateHealthPolicyOptions>(static policy => policy.DetectionWindowSize = TimeSpan.FromSeconds(10));
        return proxy;
    }

    /// <summary>YARP's own steps, each try of a request through those from the choice of a destination on.</summary>
    public static void UseForwarding(this IReverseProxyApplicationBuilder pipeline)
    {
        pipeline.UseSessionAffinity();
        pipeline.UseClientHeaders();
        pipeline.UseRetries();
        pipeline.UseForwardingErrors();
        pipeline.UseLoadBalancing();
        pipeline.UsePassiveHealthChecks();
    }
}
