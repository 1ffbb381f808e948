using Gateway.LoadBalancing;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Forwarding;

/// <summary>
/// For clusters whose destinations have weights: leaves out those with a weight of 0, and measures each attempt by destination, so that a canary can be
/// compared with the others.
/// </summary>
internal static class WeightedForwarding
{
    private static readonly string[] s_classes = ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "8xx", "9xx"];

    /// <summary>Leaves out destinations with a weight of 0. Session affinity comes after: it gives a session of such a destination another one.</summary>
    public static void UseWeights(this IReverseProxyApplicationBuilder pipeline)
    {
        var clusters = pipeline.ApplicationServices.GetRequiredService<WeightedClusters>();
        pipeline.Use((context, next) =>
        {
            var proxy = context.GetReverseProxyFeature();
            if (IsWeighted(proxy)) proxy.AvailableDestinations = clusters.Of(proxy.Route.Cluster!).TakingRequests;
            return next(context);
        });
    }

    /// <summary>Measures an attempt.</summary>
    public static void UseDestinationMetrics(this IReverseProxyApplicationBuilder pipeline)
    {
        var services = pipeline.ApplicationServices;
        var (metrics, time) = (services.GetRequiredService<GatewayMetrics>(), services.GetRequiredService<TimeProvider>());
        pipeline.Use((context, next) =>
        {
            var proxy = context.GetReverseProxyFeature();
            return IsWeighted(proxy) ? MeasureAsync(context, next, proxy, metrics, time) : next(context);
        });
    }

    private static bool IsWeighted(IReverseProxyFeature proxy) => WeightedPolicies.Has(proxy.Cluster.Config.LoadBalancingPolicy);

    private static async Task MeasureAsync(HttpContext context, RequestDelegate next, IReverseProxyFeature proxy, GatewayMetrics metrics, TimeProvider time)
    {
        var begun = time.GetTimestamp();
        await next(context);
        if (proxy.ProxiedDestination is not { } destination) return;
        var cluster = WeightedCluster.NameOf(proxy.Route.Cluster!.ClusterId);
        metrics.DestinationResponded(cluster, DestinationWeight.Of(destination).Name, StatusOf(context), time.GetElapsedTime(begun));
    }

    private static string StatusOf(HttpContext context)
    {
        var failure = context.Features.Get<IForwarderErrorFeature>();
        var hasFailed = failure is not null && ForwardingErrors.IsOfService(context, failure);
        // Clients often end a WebSocket without a word. One that a service ends so is no failed request: those that go well do not count as requests either.
        if (IsUpgraded(context)) return hasFailed ? "upgrade_failed" : "upgrade";
        if (hasFailed) return "failed";
        return failure is not null ? "client_left" : s_classes[context.Response.StatusCode / 100 % 10];
    }

    private static bool IsUpgraded(HttpContext context) => context.Response.StatusCode == StatusCodes.Status101SwitchingProtocols
        || (context.Response.StatusCode == StatusCodes.Status200OK && context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true });
}
