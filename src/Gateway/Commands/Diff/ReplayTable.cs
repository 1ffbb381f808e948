using Gateway.Authorization;
using Gateway.Configuration;
using Gateway.Configuration.Schema;
using Gateway.Differences;
using Gateway.Edge;
using Gateway.Explanations;
using Gateway.Networking;
using Gateway.Routes;
using Gateway.Telemetry;
using IotCredentials.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing.Matching;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Commands.Diff;

/// <summary>
/// Finds the routes that may take a logged request: by method and path alone, because a log holds neither host, headers nor query. It is the gateway's own
/// router; every route has an Order of its own, so that all candidates come in the order in which they take requests.
/// </summary>
internal sealed class ReplayTable : IDisposable
{
    private const int MostCached = 10_000;

    private readonly Dictionary<(string Method, string Path), Candidates> _cache = [];
    private readonly AllCandidates _found = new();
    private readonly ServiceProvider _routing;
    private readonly Router _router;
    private readonly DefaultHttpContext _context = new();
    private readonly IServiceProvider _services;
    private readonly string[] _preflighted;

    public ReplayTable(EffectiveConfiguration configuration, WebApplication gateway)
    {
        Configuration = configuration;
        _services = gateway.Services;
        var table = _services.GetRequiredService<SnapshotRoutes>().Current;
        var endpoints = RouteOrder.Of(gateway).Select((endpoint, index) => new RouteEndpoint(
            endpoint.RequestDelegate!, endpoint.RoutePattern, index,
            new EndpointMetadataCollection(
                [new ReplayRoute(endpoint, index, table.Written(endpoint.RouteId()), configuration), .. endpoint.Metadata.OfType<IHttpMethodMetadata>()]),
            null)).ToArray();
        _preflighted = [.. endpoints.SelectMany(static endpoint => endpoint.Metadata.OfType<IHttpMethodMetadata>())
            .Where(static metadata => metadata.AcceptCorsPreflight).SelectMany(static metadata => metadata.HttpMethods).Distinct()];
        _routing = Router.Services(_services, _found);
        _router = new Router(_routing, endpoints);
    }

    public EffectiveConfiguration Configuration { get; }

    public GatewayOptions Options => Configuration.Snapshot.Options;

    public void Dispose() => _routing.Dispose();

    /// <summary>Returns the routes that may take a request, in order, or the status that the gateway refuses it with before it looks for one.</summary>
    public Candidates Find(ReplayedRequest request)
    {
        if (_cache.TryGetValue((request.Method, request.RoutedPath), out var known)) return known;
        if (_cache.Count >= MostCached) _cache.Clear();
        return _cache[(request.Method, request.RoutedPath)] = FindAnew(request);
    }

    private Candidates FindAnew(ReplayedRequest request)
    {
        if (!RequestGuard.IsUnambiguous(request.RoutedPath)) return new(StatusCodes.Status400BadRequest, GatewayReason.Path, []);
        if (!Options.Edge.Methods.Contains(request.Method, StringComparer.Ordinal)) return new(StatusCodes.Status405MethodNotAllowed, ErrorReason.Method, []);
        var endpoint = Match(request);
        var taken = _found.Routes.Select(found => Judge(found, request, isPreflight: false)).ToArray();
        var preflights = HttpMethods.IsOptions(request.Method) ? Preflights(request, taken) : [];
        return taken.Length > 0 ? new(null, null, [.. taken.Concat(preflights).OrderBy(static candidate => candidate.Route.Position)])
            : endpoint is null ? new(StatusCodes.Status404NotFound, GatewayReason.NoRoute, [])
            : new(StatusCodes.Status405MethodNotAllowed, ErrorReason.Method, [.. preflights.OrderBy(static candidate => candidate.Route.Position)]);
    }

    // The routes that take this request only as a preflight for one of their methods. Its headers are not in the log.
    private List<Candidate> Preflights(ReplayedRequest request, Candidate[] taken)
    {
        var preflights = new List<Candidate>();
        foreach (var method in _preflighted)
        {
            Match(request, method);
            foreach (var found in _found.Routes.ToArray())
                if (!taken.Concat(preflights).Any(known => known.Route == found.Route)) preflights.Add(Judge(found, request, isPreflight: true));
        }

        return preflights;
    }

    private Endpoint? Match(ReplayedRequest request, string? preflighted = null)
    {
        Prepare(request);
        _found.Clear();
        if (preflighted is not null) (_context.Request.Headers.Origin, _context.Request.Headers.AccessControlRequestMethod) = ("null", preflighted);
        var endpoint = _router.FindAsync(_context).GetAwaiter().GetResult();
        _context.Request.Headers.Clear();
        return endpoint;
    }

    private Candidate Judge((ReplayRoute Route, RouteValueDictionary Values) found, ReplayedRequest request, bool isPreflight)
    {
        Prepare(request);
        _context.SetEndpoint(found.Route.Endpoint);
        _context.Request.RouteValues = found.Values;
        var refused = Preconditions.RefusalOf(_context, found.Route.Endpoint);
        return new(found.Route, found.Values.GetValueOrDefault(RouteOrganization.Parameter) as string, refused, isPreflight);
    }

    private void Prepare(ReplayedRequest request)
    {
        _context.RequestServices = _services;
        _context.SetEndpoint(null);
        _context.Features.Get<IHttpRequestFeature>()!.RawTarget = request.RoutedPath;
        _context.Request.Method = request.Method;
        // The target of OPTIONS for the whole server is no path.
        _context.Request.Path = request.RoutedPath == "*" ? PathString.Empty : PathString.FromUriComponent(request.RoutedPath);
        _context.Request.RouteValues = [];
    }

    // Remembers all routes that match, and leaves the choice to the router.
    private sealed class AllCandidates : MatcherPolicy, IEndpointSelectorPolicy
    {
        private readonly List<(ReplayRoute, RouteValueDictionary)> _routes = [];

        public IReadOnlyList<(ReplayRoute Route, RouteValueDictionary Values)> Routes => _routes;

        public override int Order => int.MaxValue;

        public void Clear() => _routes.Clear();

        public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => true;

        public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
        {
            for (var index = 0; index < candidates.Count; index++)
                if (candidates.IsValidCandidate(index) && candidates[index].Endpoint.Metadata.GetMetadata<ReplayRoute>() is { } route)
                    _routes.Add((route, candidates[index].Values ?? []));
            return Task.CompletedTask;
        }
    }
}

/// <summary>The routes that may take a request.</summary>
/// <param name="Refused">The status of a request that no route takes; null if one does. If it is a preflight, one of the routes may still take it.</param>
/// <param name="Reason">The access log's word for it.</param>
/// <param name="Routes">The routes, in the order in which they take requests.</param>
internal sealed record Candidates(int? Refused, string? Reason, IReadOnlyList<Candidate> Routes);

/// <summary>A route that may take a request.</summary>
/// <param name="Route">The route.</param>
/// <param name="Organization">The organization in the request's path, as it is there.</param>
/// <param name="Refused">The status that the route's preconditions on method and organization refuse the request with.</param>
/// <param name="IsPreflight">Whether the route takes the request only if it is a preflight for a method of the route.</param>
internal sealed record Candidate(ReplayRoute Route, string? Organization, int? Refused, bool IsPreflight)
{
    /// <summary>The conditions that a log does not show; empty without one.</summary>
    public string Unknown => !IsPreflight ? Route.Unknown : Route.Unknown.Length == 0 ? "a preflight's headers" : $"{Route.Unknown}, a preflight's headers";
}

/// <summary>A route, with what decides about a logged request.</summary>
internal sealed class ReplayRoute
{
    public ReplayRoute(RouteEndpoint endpoint, int position, RouteConfig route, EffectiveConfiguration configuration)
    {
        (Endpoint, Position) = (endpoint, position);
        Id = route.RouteId;
        Setting = configuration.Routes[Id];
        var match = route.Match;
        Unknown = string.Join(", ", ((string[])
        [
            match.Hosts is { Count: > 0 } ? "host" : "", match.Headers is { Count: > 0 } ? "headers" : "",
            match.QueryParameters is { Count: > 0 } ? "query" : "",
        ]).Where(static word => word.Length > 0));
        Conditions = new RouteRequests(route).Text;
        IsOpen = !Setting.Members.ContainsKey(EffectiveConfiguration.Access);
        Policy = route.AuthorizationPolicy is { } name ? configuration.Snapshot.Options.Authorization.Policies.GetValueOrDefault(name) ?? new() : new();
        Addresses = RouteMetadata.Of(route).IpAllow is { } addresses ? new IpAllowList(addresses) : null;
        HasCors = route.CorsPolicy is not null;
        Target = RouteTargetRow.Of(route, configuration.Snapshot).ToString();
    }

    /// <summary>The gateway's own endpoint.</summary>
    public RouteEndpoint Endpoint { get; }

    /// <summary>Its place among all routes: an earlier one takes a request first.</summary>
    public int Position { get; }

    public string Id { get; }

    /// <summary>The route as it is in effect.</summary>
    public Setting Setting { get; }

    /// <summary>The conditions that a log does not show; empty without one.</summary>
    public string Unknown { get; }

    /// <summary>All conditions, in one spelling.</summary>
    public string Conditions { get; }

    /// <summary>Whether anyone may use the route.</summary>
    public bool IsOpen { get; }

    public AuthorizationPolicyOptions Policy { get; }

    /// <summary>Whether the route names a CORS policy. One that disables CORS responds to preflights, too.</summary>
    public bool HasCors { get; }

    public IpAllowList? Addresses { get; }

    public string Target { get; }
}
