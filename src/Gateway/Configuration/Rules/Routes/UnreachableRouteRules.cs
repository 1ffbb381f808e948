using Gateway.Configuration.Rules.Paths;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>Checks that every route can be reached.</summary>
internal static class UnreachableRouteRules
{
    /// <summary>No route is preceded by one with a lower <c>Order</c> that matches all of its requests.</summary>
    public static void Check(RuleContext context)
    {
        // If all routes have the same Order, the more specific path takes precedence, so every route can be reached.
        if (context.Routes.Select(OrderOf).Distinct().Take(2).Count() < 2) return;
        var paths = new PathTree();
        foreach (var route in context.Routes)
            if (!RoutePath.IsBroken(route) && route.Match is { Headers: null or { Count: 0 }, QueryParameters: null or { Count: 0 } }) paths.Add(route);
        foreach (var route in context.Routes)
            if (!RoutePath.IsBroken(route)
                && paths.Covering(route).FirstOrDefault(other => OrderOf(other) < OrderOf(route) && TakesAll(other.Match, route.Match)) is { } first)
                context.Error(RouteKey.Of(route, "Match"),
                    "takes no request: "
                    + $"the route {Finding.Quote(first.RouteId)} has the lower Order ({OrderOf(first)} before {OrderOf(route)}) and takes them all. "
                    + "Change the Order of one of the two, or remove this one.");
    }

    private static int OrderOf(RouteConfig route) => route.Order ?? 0;

    private static bool TakesAll(RouteMatch first, RouteMatch second) => Holds(first.Methods, second.Methods) && Holds(first.Hosts, second.Hosts);

    /// <summary>Whether a list of conditions includes all of another. An empty list matches everything.</summary>
    public static bool Holds(IReadOnlyList<string>? all, IReadOnlyList<string>? some) =>
        all is null or { Count: 0 }
        || (some is { Count: > 0 } && some.All(item => all.Contains(item, StringComparer.OrdinalIgnoreCase)));
}
