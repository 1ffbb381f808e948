using Gateway.Configuration.Schema;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Clusters;

/// <summary>Checks that times are valid and that no timeout cuts off work that a longer timeout still allows.</summary>
internal static class DurationRules
{
    // The limit is below the longest time of .NET's timers, which is about 49.7 days.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(49);

    // These are YARP's defaults for an active health check.
    private static readonly TimeSpan s_defaultInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_defaultProbeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Timeouts are positive, and probe times are at most 49 days. A module route's Timeout is at least IotCredentials:Timeout. Shutdown:Timeout is
    /// at least IotCredentials:Timeout and the longest Timeout of a route. A probe's Timeout is at most its Interval.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var vend = context.Options.IotCredentials.Timeout;
        foreach (var route in context.Routes) Check(context, route, vend);
        foreach (var cluster in context.Clusters) Check(context, cluster);

        var shutdown = context.Options.Shutdown.Timeout;
        if (shutdown < TimeSpan.Zero) return;
        if (context.Routes.MaxBy(route => route.Timeout) is { Timeout: { } longest } slowest && longest > shutdown)
            Cut($"the route {Finding.Quote(slowest.RouteId)} may take {longest}");
        else if (vend > shutdown)
            Cut($"IotCredentials:Timeout is {vend}");

        void Cut(string what) => context.Warning("Shutdown:Timeout",
            $"is {shutdown}, and {what}: requests in flight could be cut off. Write as much or more.");
    }

    private static void Check(RuleContext context, RouteConfig route, TimeSpan vend)
    {
        if (route.Timeout is not { } timeout) return;
        if (timeout <= TimeSpan.Zero)
            context.Error(RouteKey.Of(route, "Timeout"), $"is {timeout}, which is not a length of time. Write such as \"00:00:30\", or leave the key out.");
        else if (timeout < vend && RouteMetadata.Of(route).Module is not null)
            context.Warning(RouteKey.Of(route, "Timeout"),
                $"is {timeout}, and IotCredentials:Timeout is {vend}: callers would get 504 while the module still works. "
                + "Leave the key out, or write as much or more.");
    }

    private static void Check(RuleContext context, ClusterConfig cluster)
    {
        if (cluster.HttpRequest?.ActivityTimeout <= TimeSpan.Zero)
            context.Error(
                RouteKey.Of(cluster, "HttpRequest:ActivityTimeout"),
                $"is {cluster.HttpRequest.ActivityTimeout}, which is not a length of time. Write such as \"00:01:40\".");
        if (cluster.HealthCheck?.Active is not { Enabled: true } active) return;
        var (interval, timeout) = (active.Interval ?? s_defaultInterval, active.Timeout ?? s_defaultProbeTimeout);
        // YARP's validator reports times of zero or less.
        foreach (var (name, time) in new[] { ("Interval", interval), ("Timeout", timeout) })
            if (time > s_longest)
                context.Error(RouteKey.Of(cluster, $"HealthCheck:Active:{name}"), $"is {time}, longer than a timer can be. Write {s_longest} at most.");
        if (interval <= TimeSpan.Zero || timeout <= interval) return;
        context.Warning(RouteKey.Of(cluster, $"HealthCheck:Active:{(active.Timeout is null ? "Interval" : "Timeout")}"),
            $"lets a probe take {timeout} with a probe every {interval}: they would pile up at a slow destination. Write a Timeout of at most Interval.");
    }
}
