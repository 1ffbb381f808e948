using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Rules.Routes;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Organizations;

/// <summary>Determines which requests never reach a route because earlier routes take them.</summary>
internal sealed class EarlierRoutes(RuleContext context)
{
    private readonly PathTree _paths = PathsOf(context.Routes);
    private readonly string[] _methods = [.. context.Options.Edge.Methods];

    /// <summary>
    /// Returns a method with which a request for a path, given by its segments, reaches a route that matches the path. Returns null when there is
    /// none.
    /// </summary>
    public string? MethodThatReaches(RouteConfig route, IReadOnlyList<string> segments)
    {
        var path = "/"
            + string.Join('/', segments.Select(segment => segment.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal)));
        var request = new RouteConfig { Match = new RouteMatch { Path = path } };
        var before = _paths.Covering(request).Where(other => IsBefore(other, route) && TakesItsRequests(other.Match, route.Match)).ToArray();
        return Array.Find(_methods, method => Takes(route, method) && !before.Any(other => Takes(other, method)));
    }

    private static PathTree PathsOf(IEnumerable<RouteConfig> routes)
    {
        var paths = new PathTree();
        foreach (var route in routes)
            if (!RoutePath.IsBroken(route)) paths.Add(route);
        return paths;
    }

    // Whether one route has a lower order, or the same order and a more specific path. If both are equal, methods, hosts and headers decide, and
    // neither route counts as earlier.
    private static bool IsBefore(RouteConfig one, RouteConfig other) =>
        (one.Order ?? 0, RoutePath.Precedence(one)).CompareTo((other.Order ?? 0, RoutePath.Precedence(other))) < 0;

    private static bool Takes(RouteConfig route, string method) => UnreachableRouteRules.Holds(route.Match.Methods, [method]);

    // Whether one route matches every request of the other: it takes all of its hosts, and each of its header and query conditions is a condition of
    // the other too.
    private static bool TakesItsRequests(RouteMatch one, RouteMatch other) =>
        UnreachableRouteRules.Holds(one.Hosts, other.Hosts)
        && (one.Headers ?? []).All((other.Headers ?? []).Contains)
        && (one.QueryParameters ?? []).All((other.QueryParameters ?? []).Contains);
}
