using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Paths;

/// <summary>
/// Indexes routes by the segments of their paths, so that only the few routes that could match a path are examined among thousands.
/// </summary>
internal sealed class PathTree
{
    private readonly Node _root = new();

    /// <summary>Adds a route.</summary>
    public void Add(RouteConfig route)
    {
        var node = _root;
        foreach (var segment in RoutePath.Segments(route))
        {
            if (segment.OmittedIf is { } condition) node.AddEnd(condition, route);
            if (segment.Kind == PathSegmentKind.Rest)
            {
                node.Rests.Add(route);
                return;
            }

            node = segment.Kind == PathSegmentKind.Any ? node.Any ??= new Node()
                : node.Texts.TryGetValue(segment.Text, out var next) ? next
                : node.Texts[segment.Text] = new Node();
        }

        node.AddEnd("", route);
    }

    /// <summary>Returns the routes whose paths match every request that a route's path matches.</summary>
    public IEnumerable<RouteConfig> Covering(RouteConfig route)
    {
        var segments = RoutePath.Segments(route);
        var covering = Covering(_root, segments, "");

        // A path with optional segments is covered only if each of its forms is covered.
        for (var length = segments.Count; length > 0 && segments[length - 1].OmittedIf is { } condition; length--)
        {
            var shorter = Covering(_root, segments.Take(length - 1).ToArray(), condition).ToHashSet();
            covering = covering.Where(shorter.Contains);
        }

        return covering;
    }

    private static IEnumerable<RouteConfig> Covering(Node node, IReadOnlyList<PathSegment> segments, string condition)
    {
        foreach (var route in node.Rests) yield return route;
        if (segments.Count == 0)
        {
            // A route that may end here on a condition covers another on the same condition.
            foreach (var route in node.EndsIf("")) yield return route;
            if (condition.Length > 0)
                foreach (var route in node.EndsIf(condition)) yield return route;
            yield break;
        }

        if (segments[0].Kind == PathSegmentKind.Rest) yield break;
        var rest = segments.Skip(1).ToArray();
        if (node.Texts.TryGetValue(segments[0].Text, out var same))
            foreach (var route in Covering(same, rest, condition)) yield return route;
        if (node.Any is not null && segments[0].Kind != PathSegmentKind.SomeRest)
            foreach (var route in Covering(node.Any, rest, condition)) yield return route;
    }

    private sealed class Node
    {
        private readonly Dictionary<string, List<RouteConfig>> _ends = new(StringComparer.Ordinal);

        public Dictionary<string, Node> Texts { get; } = new(StringComparer.Ordinal);

        public Node? Any { get; set; }

        public List<RouteConfig> Rests { get; } = [];

        public void AddEnd(string condition, RouteConfig route)
        {
            if (_ends.TryGetValue(condition, out var routes)) routes.Add(route);
            else _ends[condition] = [route];
        }

        public List<RouteConfig> EndsIf(string condition) => _ends.GetValueOrDefault(condition) ?? [];
    }
}
