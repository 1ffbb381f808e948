using Gateway.Configuration.Schema;
using Gateway.Forwarding;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>Checks the retries of routes.</summary>
internal static class RetryRules
{
    private const int Most = 2;

    // This is YARP's default.
    private static readonly TimeSpan s_defaultActivityTimeout = TimeSpan.FromSeconds(100);

    /// <summary>
    /// Retries is 0 to 2 and is not set on a module route. If a route has retries, its transforms turn no idempotent method into another, and its
    /// Timeout is longer than the cluster's ActivityTimeout.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var clusters = context.Clusters.ToDictionary(cluster => cluster.ClusterId, StringComparer.OrdinalIgnoreCase);
        foreach (var route in context.Routes)
        {
            var metadata = RouteMetadata.Of(route);
            if (metadata.Retries is < 0 or > Most)
                context.Error(RouteKey.Of(route, "Metadata:Retries"),
                    $"is {metadata.Retries}. Write 0 to {Most}: each multiplies what a service that is in trouble gets.");
            else if (metadata is { Retries: > 0, Module: not null })
                context.Error(RouteKey.Of(route, "Metadata:Retries"), "has no place on a module route: nothing is sent to a service. Remove it.");
            else if (metadata.Retries > 0 && SentMethod(route) is { } method)
                context.Error(RouteKey.Of(route, "Metadata:Retries"),
                    $"would repeat requests that HttpMethodChange turns into {method}, which is not idempotent. Remove Retries or the transform.");
            else if (metadata.Retries > 0 && route is { Timeout: { } timeout, ClusterId: { } id } && clusters.TryGetValue(id, out var cluster))
                CheckTime(timeout, cluster.HttpRequest?.ActivityTimeout ?? s_defaultActivityTimeout);

            void CheckTime(TimeSpan timeout, TimeSpan activityTimeout)
            {
                if (timeout > TimeSpan.Zero && activityTimeout > TimeSpan.Zero && timeout <= activityTimeout)
                    context.Warning(RouteKey.Of(route, "Timeout"),
                        $"is {timeout}, and a destination that is silent is given up after the cluster's HttpRequest:ActivityTimeout of {activityTimeout}: "
                        + "no time is left for the route's Retries. "
                        + "Write a longer Timeout, or a shorter ActivityTimeout.");
            }
        }
    }

    // The first method that is not idempotent and that HttpMethodChange puts in the place of one that is.
    private static string? SentMethod(RouteConfig route) => (route.Transforms ?? [])
        .Where(static transform => transform.TryGetValue("HttpMethodChange", out var from) && Retries.IsIdempotent(from.ToUpperInvariant()))
        .Select(static transform => transform.GetValueOrDefault("Set"))
        .FirstOrDefault(static method => method is not null && !Retries.IsIdempotent(method.ToUpperInvariant()));
}
