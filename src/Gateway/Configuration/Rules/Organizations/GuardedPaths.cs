using System.Net;
using Gateway.Configuration.Rules.Paths;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Organizations;

/// <summary>The paths that are reserved for members by routes with a membership check, indexed by the destination's address.</summary>
internal sealed class GuardedPaths
{
    // Stands for any destination.
    private const string AnyDestination = "";

    private readonly RuleContext _context;
    private readonly ThisMachine _machine = new();
    private readonly Dictionary<string, ClusterConfig> _clusters;
    private readonly Dictionary<(string Authority, string First), List<GuardedPath>> _paths = [];
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    public GuardedPaths(RuleContext context, OrganizationIdFormat? ids)
    {
        _context = context;
        _clusters = context.Clusters.ToDictionary(cluster => cluster.ClusterId, StringComparer.OrdinalIgnoreCase);
        foreach (var route in context.Routes.Where(route => OrganizationReachRules.IsGuarded(context, route)))
        {
            foreach (var request in RoutedPath.RequestsOf(route, ids))
                if (GuardedPath.Of(route, request) is { Organization: > 0 } path && path.Segments.Take(path.Organization).All(text => text.IsWhole))
                    Add(AnyDestination, path);
            foreach (var destination in DestinationsOf(route))
                foreach (var sent in RoutedPath.SentBy(route, destination.Path, ids))
                    if (GuardedPath.Of(route, sent) is { } path) Add(destination.Authority, path);
        }
    }

    /// <summary>Returns the destinations of a route.</summary>
    public IEnumerable<Destination> DestinationsOf(RouteConfig route) =>
        route.ClusterId is null || !_clusters.TryGetValue(route.ClusterId, out var cluster) ? []
        : (cluster.Destinations ?? new Dictionary<string, DestinationConfig>()).Values.SelectMany(DestinationsOf).Distinct();

    /// <summary>Returns the guarded paths at a destination that start like a path, so that the path could reach them.</summary>
    public IEnumerable<GuardedPath> At(Destination destination, RoutedPath path) => Beginning(destination.Authority, path);

    /// <summary>Returns the guarded paths at the gateway itself for which a request has a different parameter in place of the organization.</summary>
    public IEnumerable<GuardedPath> Requests(RoutedPath request) => Beginning(AnyDestination, request)
        .Where(path => path.Organization < request.Request.Count && !request.Request[path.Organization].IsWhole
            && request.Request.Take(path.Organization).All(text => text.IsWhole));

    private IEnumerable<GuardedPath> Beginning(string authority, RoutedPath path)
    {
        if (path.Sent.Count == 0 || !path.Sent[0].Text.IsWhole) return _paths.Where(entry => entry.Key.Authority == authority).SelectMany(entry => entry.Value);
        return Of(path.Sent[0].Text.Start.ToUpperInvariant()).Concat(Of(""));

        IEnumerable<GuardedPath> Of(string first) => _paths.GetValueOrDefault((authority, first)) ?? [];
    }

    private void Add(string authority, GuardedPath path)
    {
        // Skip duplicates, because thousands of routes guard only a few paths.
        if (!_known.Add($"{authority} {path}")) return;
        var key = (authority, path.Segments.Count > 0 && path.Segments[0].IsWhole ? path.Segments[0].Start.ToUpperInvariant() : "");
        if (!_paths.TryGetValue(key, out var list)) _paths[key] = list = [];
        list.Add(path);
    }

    // One server can have several names. Apart from this machine's own names, it is not known which names DNS gives it.
    private IEnumerable<Destination> DestinationsOf(DestinationConfig destination)
    {
        if (!Uri.TryCreate(destination.Address, UriKind.Absolute, out var address)) return [];
        var path = Uri.UnescapeDataString(address.AbsolutePath);
        var service = _context.Options.ServiceOf(address.Host);
        string[] authorities = service is null ? [$"{address.IdnHost}:{address.Port}"] : [.. service.Http, .. service.Https];
        return authorities.Select(authority => new Destination(Normalize(authority), path));
    }

    private string Normalize(string authority)
    {
        var colon = Math.Max(authority.LastIndexOf(':'), 0);
        var host = authority[..colon].Trim('[', ']').TrimEnd('.').ToLowerInvariant();
        if (IPAddress.TryParse(host, out var address)) host = $"{ThisMachine.Unmapped(address)}";
        // A host's ports for http and https lead to one server.
        var port = authority[colon..] is ":443" ? ":80" : authority[colon..];
        return (_machine.Is(host) ? "localhost" : host) + port;
    }
}

/// <summary>A server, and the path of its address.</summary>
internal sealed record Destination(string Authority, string Path);

/// <summary>A path that a route reserves for the members of an organization.</summary>
/// <param name="Route">The route.</param>
/// <param name="Segments">The path's segments, up to the organization's segment if there is one.</param>
/// <param name="Organization">The index of the organization's segment, or -1 if the path that the service receives does not contain the
/// organization.</param>
/// <param name="IsBelow">Whether all paths below this one are included.</param>
internal sealed record GuardedPath(RouteConfig Route, IReadOnlyList<SegmentText> Segments, int Organization, bool IsBelow)
{
    /// <summary>Returns the guarded path for one form of the paths that a route sends.</summary>
    public static GuardedPath? Of(RouteConfig route, RoutedPath path)
    {
        var organization = path.Sent.FindIndex(segment => segment.Text.NamesOrganization);
        return organization >= 0
            ? new(route, [.. path.Sent.Take(organization + 1).Select(segment => segment.Text)], organization, true)
            : new(route, [.. path.Sent.Select(segment => segment.Text)], -1, path.SentHasRest);
    }

    /// <summary>Whether a path that a service receives can be this one.</summary>
    public bool IsReachedBy(RoutedPath path)
    {
        if (!IsBelow && path.Sent.Count > Segments.Count) return false;
        if (!path.SentHasRest && path.Sent.Count < Segments.Count) return false;
        for (var index = 0; index < Math.Min(Segments.Count, path.Sent.Count); index++)
            if (!path.Sent[index].Text.Meets(Segments[index])) return false;
        return true;
    }

    /// <summary>Whether a route's membership check is for the same organization that this path is reserved for.</summary>
    public bool IsProvenBy(RoutedPath path) =>
        Organization < 0
        || (Organization < path.Sent.Count && path.Sent[Organization].Text is { NamesOrganization: true } text && text == Segments[Organization]);

    /// <summary>Returns the path as text. Equal paths have the same text.</summary>
    public override string ToString() =>
        string.Join('/', Segments.Select(text => text.IsWhole ? text.Start : $"{text.Start}{{{(text.NamesOrganization ? "organization" : "")}}}{text.End}"))
        + (IsBelow ? "/**" : "");
}
