using System.Text.Json;
using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Rules.Routes;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Differences;

/// <summary>
/// The requests that a route's conditions match, compared with those of other routes. What it cannot know, it answers so that a change counts: that two
/// routes may have requests in common, and that one does not match all requests of another.
/// </summary>
internal sealed class RouteRequests
{
    private readonly IReadOnlyList<PathSegment> _segments;
    private readonly RouteMatch _match;
    private readonly string _path;

    public RouteRequests(RouteConfig route)
    {
        Route = route;
        _match = route.Match;
        _segments = RoutePath.Segments(route);
        // ASP.NET Core's order: a lower Order, a more specific path, then routes with conditions on methods, hosts, headers and query.
        Precedence = (route.Order ?? 0, RoutePath.Precedence(route), _match.Methods is { Count: > 0 } ? 0 : 1, _match.Hosts is { Count: > 0 } ? 0 : 1,
            -(_match.Headers?.Count ?? 0), -(_match.QueryParameters?.Count ?? 0));
        _path = PathOf(route);
        (Text, TextWithoutValues) = (TextOf(static value => value), TextOf(static _ => "…"));
    }

    /// <summary>The route.</summary>
    public RouteConfig Route { get; }

    /// <summary>The route with the lower value comes first.</summary>
    public (int Order, decimal Path, int Methods, int Hosts, int Headers, int Query) Precedence { get; }

    /// <summary>All conditions in one spelling: routes with the same text match the same requests.</summary>
    public string Text { get; }

    /// <summary>As <see cref="Text"/>, without the values of headers and query parameters, which may be secrets.</summary>
    public string TextWithoutValues { get; }

    /// <summary>The conditions as they are written, without the values of headers and query parameters.</summary>
    public string Written => string.Join(' ', ((string[])
    [
        _match.Methods is { Count: > 0 } methods ? string.Join(',', methods) : "", _match.Path ?? "any path", Listed("hosts", _match.Hosts),
        Listed("headers", _match.Headers?.Select(static header => $"{header.Name} {header.Mode} …")),
        Listed("query", _match.QueryParameters?.Select(static query => $"{query.Name} {query.Mode} …")),
    ]).Where(static part => part.Length > 0));

    /// <summary>A path that the route matches.</summary>
    public string Example => "/" + string.Join('/', _segments.Select(static segment => segment.Kind switch
    {
        PathSegmentKind.Text when !segment.Text.Contains('{', StringComparison.Ordinal) => segment.Text.ToLowerInvariant(),
        _ => "x",
    }));

    /// <summary>Whether there may be a request that both match.</summary>
    public bool Meets(RouteRequests other) =>
        MayShare(_match.Methods, other._match.Methods, static (one, two) => one.Equals(two, StringComparison.OrdinalIgnoreCase))
        && MayShare(_match.Hosts, other._match.Hosts, static (one, two) =>
            one.Contains('*', StringComparison.Ordinal) || two.Contains('*', StringComparison.Ordinal) || NameOf(one) == NameOf(two))
        && Meet(_segments, 0, other._segments, 0);

    /// <summary>Whether this route certainly matches every request that the other matches.</summary>
    /// <param name="other">The other route.</param>
    /// <param name="paths">The routes among which this one is, by their paths.</param>
    public bool Covers(RouteRequests other, PathTree paths) =>
        Text == other.Text
        || (UnreachableRouteRules.Holds(_match.Methods, other._match.Methods)
            && UnreachableRouteRules.Holds(_match.Hosts, other._match.Hosts)
            && (_match.Headers ?? []).All((other._match.Headers ?? []).Contains)
            && (_match.QueryParameters ?? []).All((other._match.QueryParameters ?? []).Contains)
            && (_path == other._path || paths.Covering(other.Route).Contains(Route)));

    private static bool MayShare(IReadOnlyList<string>? one, IReadOnlyList<string>? two, Func<string, string, bool> areSame) =>
        one is not { Count: > 0 } || two is not { Count: > 0 } || one.Any(item => two.Any(other => areSame(item, other)));

    private static string NameOf(string host) => host.Split(':')[0].ToUpperInvariant();

    private static bool Meet(IReadOnlyList<PathSegment> one, int at, IReadOnlyList<PathSegment> two, int place)
    {
        for (; ; at++, place++)
        {
            if (MayEnd(one, at) && MayEnd(two, place)) return true;
            if (at == one.Count || place == two.Count) return false;
            if (IsRest(one[at]) || IsRest(two[place])) return true;
            if (IsLiteral(one[at]) && IsLiteral(two[place]) && one[at].Text != two[place].Text) return false;
        }

        static bool MayEnd(IReadOnlyList<PathSegment> path, int at) => at == path.Count || path[at].CanBeOmitted;

        static bool IsRest(PathSegment segment) => segment.Kind is PathSegmentKind.Rest or PathSegmentKind.SomeRest;

        static bool IsLiteral(PathSegment segment) => segment.Kind == PathSegmentKind.Text && !segment.Text.Contains('{', StringComparison.Ordinal);
    }

    private static string Listed(string name, IEnumerable<string>? items) =>
        items?.Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase).ToArray() is { Length: > 0 } list
            ? $"{name} {string.Join(',', list)}"
            : "";

    // A parameter with a default may be left out, and the default is what is passed on then.
    private static string PathOf(RouteConfig route)
    {
        var defaults = (RoutePath.Parse(route) ?? RoutePath.Any).Parameters.Select(static parameter => parameter.Default?.ToString()).ToArray();
        return RoutePath.Normalize(route) + (Array.TrueForAll(defaults, static value => value is null) ? "" : JsonSerializer.Serialize(defaults));
    }

    private string TextOf(Func<string, string> show) => JsonSerializer.Serialize(new
    {
        Path = _path,
        Methods = Names(_match.Methods),
        Hosts = Names(_match.Hosts),
        Headers = Conditions(_match.Headers?.Select(header => Condition(header.Name, header.Mode, header.Values, header.IsCaseSensitive, show))),
        Query = Conditions(_match.QueryParameters?.Select(query => Condition(query.Name, query.Mode, query.Values, query.IsCaseSensitive, show))),
    });

    private static IEnumerable<string> Names(IEnumerable<string>? names) =>
        (names ?? []).Select(static name => name.ToUpperInvariant()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Conditions(IEnumerable<string>? conditions) =>
        (conditions ?? []).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    private static string Condition<TMode>(string name, TMode mode, IReadOnlyList<string>? values, bool isCaseSensitive, Func<string, string> show)
        where TMode : struct, Enum => JsonSerializer.Serialize(new
        {
            Name = name.ToUpperInvariant(),
            Mode = mode.ToString(),
            isCaseSensitive,
            Values = (values ?? []).Select(show).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        });
}
