using Gateway.Configuration.Snapshots;
using Gateway.Forwarding.Connections;
using Gateway.Forwarding.Headers;
using Gateway.Forwarding.Targets;
using Gateway.LoadBalancing;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>Sets up forwarding: the request's headers, the connections, retries and errors.</summary>
internal static class ForwardingExtensions
{
    public static IReverseProxyBuilder AddForwarding(this IReverseProxyBuilder proxy)
    {
        proxy.Services.AddSingleton(static services => GatewayName.Of(services.GetRequiredService<SnapshotConfigurationProvider>().Current));
        proxy.Services.AddSingleton<ITransformProvider, IdentityHeaders>();
        proxy.Services.AddSingleton<ITransformProvider, ForwardedTargets>();
        proxy.Services.AddSingleton<ITransformProvider, ForwardedResponses>();
        proxy.Services.AddSingleton<ITransformProvider, StreamLifetimeTransform>();
        proxy.Services.AddSingleton<RequestsInFlight>();
        proxy.Services.AddSingleton<IForwarderHttpClientFactory, DownstreamHttpClientFactory>();
        proxy.Services.AddWeightedDestinations();
        proxy.Services.AddSingleton<DestinationHealthReport>();
        proxy.Services.AddHostedService(static services => services.GetRequiredService<DestinationHealthReport>());
        proxy.Services.AddHealthChecks().AddCheck<DestinationsAreHealthy>("services");
        PassiveHealthPolicy.AddTo(proxy.Services);
        // YARP's default window is one minute: a recovered destination would stay excluded until its old failures age out.
        proxy.Services.Configure<TransportFailureRateHealthPolicyOptions>(static policy => policy.DetectionWindowSize = TimeSpan.FromSeconds(10));
        return proxy;
    }

    /// <summary>Adds the steps of a forwarded request, in their order. Each attempt runs all steps after the retries.</summary>
    public static void UseForwarding(this IReverseProxyApplicationBuilder pipeline)
    {
        pipeline.UseRequestsInFlight();
        pipeline.UseWeights();
        pipeline.UseSessionAffinity();
        pipeline.UseClientHeaders();
        pipeline.UseBodyLimit();
        pipeline.UseRetries();
        pipeline.UseForwardingErrors();
        pipeline.UseDestinationMetrics();
        pipeline.UseLoadBalancing();
        pipeline.UsePassiveHealthChecks();
    }
}
