using Gateway.Configuration.Rules;
using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Snapshots;
using Gateway.Errors;
using Gateway.Routes;
using Microsoft.AspNetCore.Routing.Patterns;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.DryRun;

/// <summary>
/// Builds the endpoints of all routes and the router over them, and sends test requests through it: for each route, and for each pair of routes that
/// could match the same request. If the router cannot decide on a request, the request would fail with 500.
/// </summary>
internal sealed class RouterTrial(
    RuleContext context, IServiceProvider services, Constraints constraints, Router router, IReadOnlyDictionary<string, RouteConfig> routes)
{
    private const int MostPairs = 500_000;
    private const int MostRequests = 50_000;
    private readonly SegmentTexts _texts = new(constraints);
    private int _requests;

    /// <summary>Tries the routes for which no other error was found.</summary>
    public static void Check(RuleContext context, IServiceProvider services, Constraints constraints)
    {
        using var built = new BuiltRouter(
            [.. context.Routes.Where(CanBeBuilt)], ConfigurationDryRun.Alone(context.Snapshot, cluster => context.HasErrorAt(RouteKey.Of(cluster))), services);
        foreach (var (route, problem) in built.Failed)
            context.Error(route is null ? "ReverseProxy:Routes" : RouteKey.Of(route), $"cannot be built: {problem} Remove or correct what was changed last.");
        if (built.Router is null) return;
        var trial = new RouterTrial(
            context, services, constraints, built.Router, built.Routes.ToDictionary(route => route.RouteId, StringComparer.OrdinalIgnoreCase));
        foreach (var route in built.Routes) trial.Check(route);
        trial.CheckPairs(built.Routes);

        bool CanBeBuilt(RouteConfig route) =>
            !context.HasErrorAt(RouteKey.Of(route)) && (context.Snapshot.Profiles is not null || RouteMetadata.Of(route).Module is null);
    }

    private void Check(RouteConfig route)
    {
        var path = "/" + string.Join('/', PatternOf(route).PathSegments.Select(segment => _texts.Of(segment)[0]));
        foreach (var request in ProbeRequest.For([path], route))
        {
            try
            {
                Lead(request);
            }
            catch (Exception exception)
            {
                if (NamesIn(exception) is [var one, var other, ..]) Report(one, other, request);
                else context.Error(RouteKey.Of(route, "Match"),
                    $"cannot be asked for a request such as {Finding.Quote(request.ToString())}: {Parts.Text(exception)} Write another path or condition.");
                return;
            }
        }
    }

    private void CheckPairs(IReadOnlyList<RouteConfig> all)
    {
        var pairs = 0;
        foreach (var alike in all.Select(route => (Route: route, Pattern: PatternOf(route))).GroupBy(each => Precedence(each.Route, each.Pattern)))
        {
            var group = alike.OrderBy(each => each.Route.RouteId, StringComparer.Ordinal).ToArray();
            for (var later = 1; later < group.Length; later++)
                for (var earlier = 0; earlier < later; earlier++)
                {
                    if (++pairs > MostPairs || _requests > MostRequests)
                    {
                        context.Warning("ReverseProxy:Routes",
                            "have too many paths that differ in parameters alone: not every two were tried for a request that fits both, "
                            + "which would be refused with 400. Tell more of them apart by a segment that is written out, or give them an Order each.");
                        return;
                    }

                    if (Decides(group[earlier].Route, group[later].Route, PathsOfBoth(group[earlier].Pattern, group[later].Pattern))) continue;
                    break;
                }
        }
    }

    private bool Decides(RouteConfig one, RouteConfig other, IReadOnlyList<string> paths)
    {
        foreach (var request in ProbeRequest.For(paths, one, other))
        {
            try
            {
                Lead(request);
            }
            catch (Exception exception)
            {
                if (NamesIn(exception) is not { Length: > 1 } names || !names.Contains(one) || !names.Contains(other)) continue;
                Report(one, other, request);
                return false;
            }
        }

        return true;
    }

    private void Lead(ProbeRequest request)
    {
        _requests++;
        router.FindAsync(request.Context(services)).GetAwaiter().GetResult();
    }

    private void Report(RouteConfig one, RouteConfig other, ProbeRequest request)
    {
        if (string.CompareOrdinal(one.RouteId, other.RouteId) > 0) (one, other) = (other, one);
        if (!context.HasErrorAt(RouteKey.Of(other, "Match")))
            context.Error(RouteKey.Of(other, "Match"),
                $"takes some of the same requests as the route {Finding.Quote(one.RouteId)}, such as {Finding.Quote(request.ToString())}, "
                + "and none of the two goes first. "
                + "Give one of them a lower Order, or change its Match.");
    }

    // The framework lists the endpoints in the exception's message, one per line.
    private RouteConfig[] NamesIn(Exception exception) => RouteConflict.Is(exception)
        ? [.. exception.Message.Split('\n', StringSplitOptions.TrimEntries).Select(routes.GetValueOrDefault).OfType<RouteConfig>().Distinct()]
        : [];

    // Routes can tie only if they have the same Order, the same kind of each segment, the same number of conditions and the same literal segments.
    private static string Precedence(RouteConfig route, RoutePattern pattern)
    {
        var match = route.Match;
        var literals = pattern.PathSegments.Select(
            segment => segment.IsSimple && segment.Parts[0] is RoutePatternLiteralPart literal ? literal.Content.ToUpperInvariant() : "{}");
        return $"{route.Order ?? 0} {pattern.InboundPrecedence} {match.Methods?.Count > 0} {match.Hosts?.Count > 0} {match.Headers?.Count ?? 0} "
            + $"{match.QueryParameters?.Count ?? 0} "
            + string.Join('/', literals);
    }

    private List<string> PathsOfBoth(RoutePattern one, RoutePattern other)
    {
        if (one.PathSegments.Count != other.PathSegments.Count) return [];
        var segments = new IReadOnlyList<string>[one.PathSegments.Count];
        for (var index = 0; index < segments.Length; index++)
        {
            segments[index] = _texts.OfBoth(one.PathSegments[index], other.PathSegments[index]);
            if (segments[index].Count == 0) return [];
        }

        // Take the first text of each segment, and then vary one segment at a time.
        string[] first = [.. segments.Select(texts => texts[0])];
        var paths = new List<string> { "/" + string.Join('/', first) };
        for (var index = 0; index < segments.Length; index++)
            foreach (var text in segments[index].Skip(1)) paths.Add("/" + string.Join('/', first.Select((of, at) => at == index ? text : of)));
        return paths;
    }

    private static RoutePattern PatternOf(RouteConfig route) => RoutePath.Parse(route) ?? RoutePath.Any;
}
