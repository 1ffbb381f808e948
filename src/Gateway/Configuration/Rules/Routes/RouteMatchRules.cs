using System.Text.Json;
using Gateway.Configuration.Rules.Paths;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>Checks the paths of routes, and that no two routes match the same requests. ASP.NET Core responds to such requests with 500.</summary>
internal static class RouteMatchRules
{
    /// <summary>
    /// A path is a valid pattern without literals that no request can match. Two routes with the same path, conditions and order do not overlap in
    /// methods and hosts.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
            if (RoutePath.IsBroken(route))
                context.Error(RouteKey.Of(route, "Match:Path"),
                    $"is {Finding.Quote(route.Match.Path!)}, which is not a route pattern. "
                    + "Write such as \"/organizations/{organizationId}/{**rest}\".");
            else if (Unmatched(route) is { } literal)
                context.Error(RouteKey.Of(route, "Match:Path"),
                    $"is {Finding.Quote(route.Match.Path!)}, and no request is matched by {Finding.Quote(literal)}: "
                    + "paths are compared decoded, and those that could be read in two ways are 400. "
                    + "Write characters themselves, without \"%\", \";\" and \"#\", and no segment \".\" or \"..\".");

        foreach (var same in context.Routes.GroupBy(WithoutMethodsAndHosts))
        {
            var routes = same.OrderBy(route => route.RouteId, StringComparer.Ordinal).ToArray();
            for (var index = 1; index < routes.Length; index++)
                if (routes[..index].FirstOrDefault(other => Overlap(other, routes[index])) is { } first)
                    context.Error(RouteKey.Of(routes[index], "Match"),
                        $"takes the same requests as the route {Finding.Quote(first.RouteId)}. "
                        + "Change one of the two, or give them different values of Order.");
        }
    }

    // Returns a literal part that no path can match: the request guard rejects it, or it is escaped while paths are compared decoded.
    private static string? Unmatched(RouteConfig route) => RoutePath.Parse(route)?.PathSegments
        .SelectMany(segment => segment.Parts.OfType<RoutePatternLiteralPart>().Select(part => (part.Content, segment.IsSimple)))
        .FirstOrDefault(part => part.Content.AsSpan().ContainsAny("%;#") || (part.IsSimple && part.Content is "." or "..")).Content;

    private static string WithoutMethodsAndHosts(RouteConfig route) => JsonSerializer.Serialize(new
    {
        Path = RoutePath.Normalize(route),
        route.Match.Headers,
        route.Match.QueryParameters,
        route.Order,
    });

    // Whether two routes overlap in both methods and hosts. If only one of them names methods, or hosts, it takes precedence, so they do not
    // conflict.
    private static bool Overlap(RouteConfig one, RouteConfig other) =>
        Overlap(one.Match.Methods, other.Match.Methods) && Overlap(one.Match.Hosts, other.Match.Hosts);

    private static bool Overlap(IReadOnlyList<string>? one, IReadOnlyList<string>? other) =>
        one is not { Count: > 0 } || other is not { Count: > 0 }
            ? one is not { Count: > 0 } && other is not { Count: > 0 }
            : one.Intersect(other, StringComparer.OrdinalIgnoreCase).Any();
}
