using Gateway.Edge;
using Gateway.LoadBalancing;
using Gateway.Telemetry;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Forwarding;

/// <summary>
/// For clusters whose destinations have weights: leaves out those with a weight of 0, and measures each attempt by destination, so that a canary can be compared
/// with the others.
/// </summary>
internal static class WeightedForwarding
{
    private static readonly string[] s_classes = ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx"];

    public static void UseWeights(this IReverseProxyApplicationBuilder pipeline)
    {
        var services = pipeline.ApplicationServices;
        var (clusters, metrics, time) = (
            services.GetRequiredService<WeightedClusters>(), services.GetRequiredService<GatewayMetrics>(), services.GetRequiredService<TimeProvider>());
        pipeline.Use((context, next) =>
        {
            var proxy = context.GetReverseProxyFeature();
            return WeightedPolicies.Has(proxy.Cluster.Config.LoadBalancingPolicy)
                ? SendAsync(context, next, proxy, clusters.Of(proxy.Route.Cluster!), metrics, time)
                : next(context);
        });
    }

    private static async Task SendAsync(
        HttpContext context, RequestDelegate next, IReverseProxyFeature proxy, WeightedCluster cluster, GatewayMetrics metrics, TimeProvider time)
    {
        proxy.AvailableDestinations = cluster.TakingRequests(proxy.AvailableDestinations);
        var begun = time.GetTimestamp();
        await next(context);
        if (proxy.ProxiedDestination is { } destination)
            metrics.DestinationResponded(cluster.Name, DestinationWeight.Of(destination).Name, StatusOf(context), time.GetElapsedTime(begun));
    }

    private static string StatusOf(HttpContext context)
    {
        var failure = context.Features.Get<IForwarderErrorFeature>();
        if (failure is not null && ForwardingErrors.IsOfService(context, failure.Error)) return "failed";
        // Clients often end a WebSocket without a word.
        if (IsUpgraded(context)) return "upgrade";
        return failure is not null ? "client_left" : s_classes[context.Response.StatusCode / 100 % 10];
    }

    private static bool IsUpgraded(HttpContext context) => context.Response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || (context.Response.StatusCode == StatusCodes.Status200OK && UpgradeLimits.IsUpgrade(context));
}
