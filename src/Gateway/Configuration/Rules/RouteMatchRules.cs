using System.Text.Json;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>A path is a pattern, and no two routes take the same requests: ASP.NET Core answers those 500.</summary>
internal static class RouteMatchRules
{
    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
            if (RoutePath.IsBroken(route))
                context.Error(RouteKey.Of(route, "Match:Path"),
                    $"is {Finding.Quote(route.Match.Path!)}, no route pattern. "
                    + "Write such as \"/organizations/{organizationId}/{**rest}\".");

        foreach (var same in context.Routes.GroupBy(WithoutMethods))
        {
            var routes = same.OrderBy(route => route.RouteId, StringComparer.Ordinal).ToArray();
            for (var index = 1; index < routes.Length; index++)
                if (routes[..index].FirstOrDefault(other => MethodsOverlap(other, routes[index])) is { } first)
                    context.Error(RouteKey.Of(routes[index], "Match"),
                        $"takes the same requests as the route {Finding.Quote(first.RouteId)}. "
                        + "Change one of the two, or give them different values of Order.");
        }
    }

    private static string WithoutMethods(RouteConfig route) => JsonSerializer.Serialize(new
    {
        Path = RoutePath.Normalize(route),
        Hosts = route.Match.Hosts?.Select(host => host.ToUpperInvariant()).Order(StringComparer.Ordinal),
        route.Match.Headers,
        route.Match.QueryParameters,
        route.Order,
    });

    // A route with methods goes before one without, so these two are no riddle.
    private static bool MethodsOverlap(RouteConfig one, RouteConfig other)
    {
        string[] first = [.. one.Match.Methods ?? []];
        string[] second = [.. other.Match.Methods ?? []];
        return first.Length == 0 || second.Length == 0
            ? first.Length == second.Length
            : first.Intersect(second, StringComparer.OrdinalIgnoreCase).Any();
    }
}
