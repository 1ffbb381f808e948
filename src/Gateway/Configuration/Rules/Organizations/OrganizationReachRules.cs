using Gateway.Configuration.Rules.Paths;
using Gateway.Configuration.Schema;
using IotCredentials.Failures;
using IotCredentials.Http;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Organizations;

/// <summary>
/// Checks that only members reach an organization's paths at a service. If a route reaches a path at or below the place where a route with a
/// membership check sends the organization, and does so without that check, it is an error, unless the route sets <c>AnyOrganization</c>.
/// </summary>
internal sealed class OrganizationReachRules
{
    private readonly RuleContext _context;
    private readonly OrganizationIdFormat _ids;
    private readonly EarlierRoutes _earlier;
    private readonly GuardedPaths _guarded;
    private readonly ConstrainedSegments _constrained;
    private readonly string _someId;
    private readonly string _ownId;
    private readonly string _someText;
    private readonly int _longestPath;

    private OrganizationReachRules(RuleContext context, OrganizationIdFormat ids, Constraints constraints)
    {
        _context = context;
        _ids = ids;
        _earlier = new EarlierRoutes(context);
        _guarded = new GuardedPaths(context, ids);
        _constrained = new ConstrainedSegments(constraints, ids);
        var texts = context.Routes.SelectMany(route => RoutedPath.RequestsOf(route, ids))
            .SelectMany(form => form.Request)
            .Select(text => text.Start)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        _someText = Unused("x", texts);
        _someId = ids.Examples.Append(ids.LongestId).Select(id => id.Value).FirstOrDefault(id => !texts.Contains(id), ids.LongestId.Value);
        _ownId = _someId[..^1] + ids.Characters[^1];
        _longestPath = context.Routes.Select(route => RoutePath.Segments(route).Count).DefaultIfEmpty().Max();
    }

    /// <summary>
    /// A forwarding route without AnyOrganization reaches a path that is reserved for an organization's members only with a membership check for that
    /// organization. Without a check, it takes no request that has an id where a checked route binds {organizationId}.
    /// </summary>
    public static void Check(RuleContext context)
    {
        // If the format itself is invalid, the module reports it.
        if (OrganizationIdFormat.TryCreate(context.Options.IotCredentials.OrganizationId, out _) is not { } ids) return;
        if (!context.Routes.Any(route => IsGuarded(context, route))) return;
        using var routing = new ServiceCollection().AddRouting().BuildServiceProvider();
        var rules = new OrganizationReachRules(context, ids, new Constraints(routing.GetRequiredService<ParameterPolicyFactory>()));
        foreach (var route in context.Routes)
            if (!RoutePath.IsBroken(route) && RouteMetadata.Of(route) is { Module: null, AnyOrganization: false } && !IsRefusedAnyway(context, route))
                rules.Check(route);
    }

    /// <summary>Whether a route admits only members of the organization in its path.</summary>
    public static bool IsGuarded(RuleContext context, RouteConfig route) =>
        route.AuthorizationPolicy is { } name && context.Options.Authorization.Policies.GetValueOrDefault(name)?.RequireOrganization == true
        && RoutePath.BindsOrganization(route);

    // Whether the rules on policies or on parameter names already report the route.
    private static bool IsRefusedAnyway(RuleContext context, RouteConfig route) =>
        RoutePath.BindsOrganization(route)
            ? !IsGuarded(context, route)
            : RoutePath.Parse(route)?.Parameters.Any(parameter => NearestName.Of(parameter.Name, [RouteOrganization.Parameter]) is not null) == true;

    private void Check(RouteConfig route)
    {
        var isGuarded = IsGuarded(_context, route);
        foreach (var destination in _guarded.DestinationsOf(route))
            foreach (var path in RoutedPath.SentBy(route, destination.Path, _ids))
                foreach (var target in _guarded.At(destination, path))
                    if (!(isGuarded && target.IsProvenBy(path)) && Find(route, path, target) is var (request, sent))
                    {
                        Report(
                            route,
                            isGuarded,
                            $"{request} arrives at {destination.Authority}{sent}, which the route {Finding.Quote(target.Route.RouteId)} keeps for members");
                        return;
                    }

        if (isGuarded) return;
        foreach (var path in RoutedPath.RequestsOf(route, _ids))
            foreach (var target in _guarded.Requests(path))
                if (Find(route, path, target) is var (request, _))
                {
                    Report(
                        route,
                        isGuarded,
                        $"{request} has an id in the place in which the route {Finding.Quote(target.Route.RouteId)} binds {{organizationId}} for members");
                    return;
                }
    }

    private void Report(RouteConfig route, bool isGuarded, string example)
    {
        var (key, problem, remedy) = isGuarded
            ? ("Transforms", "send members of one organization to another one's path", "Send {organizationId} in that place")
            : (
                "AuthorizationPolicy",
                "lets callers reach an organization's path without a check of membership",
                "Bind {organizationId} there and name a policy with RequireOrganization");
        _context.Error(RouteKey.Of(route, key),
            $"{problem}: {example}. {remedy}, or if any caller may have any organization, write \"Metadata\": {{ \"AnyOrganization\": \"true\" }}.");
    }

    // Returns a request of the route that reaches the target, and the path that the service receives. Returns null when no such request reaches the
    // route.
    private (string Request, string Sent)? Find(RouteConfig route, RoutedPath path, GuardedPath target)
    {
        if (!target.IsReachedBy(path)) return null;
        SegmentText[] request = [.. path.Request];
        var rest = new List<string>();
        for (var index = 0; index < target.Segments.Count; index++)
        {
            if (index >= path.Sent.Count) rest.Add(Text(target.Segments[index]));
            else if (path.Sent[index].Source is >= 0 and var source && (target.Segments[index].IsWhole || path.Request[source] == SegmentText.Any))
                request[source] = path.Request[source].IsWhole ? request[source] : target.Segments[index];
        }

        // Use texts that no route contains as literals: the fewest routes match them, so they represent all other texts.
        var texts = new string[request.Length];
        var isSure = true;
        for (var index = 0; index < request.Length; index++)
        {
            var isOwn = ReferenceEquals(request[index], path.Request[index]) && request[index].Ids is not null;
            var preferred = isOwn ? request[index].Start + _ownId + request[index].End : Text(request[index]);
            if (_constrained.TextFor(route, index, request[index], preferred, out var isTaken) is not { } text) return null;
            (texts[index], isSure) = (text, isSure && isTaken);
        }

        var sent = path.Sent.Select(segment => segment.Source >= 0 ? texts[segment.Source] : Text(segment.Text)).ToArray();
        var most = path.RequestHasRest && (target.IsBelow || !path.SentHasRest) ? _longestPath + 1 : 0;
        for (var more = 0; more <= most; more++)
        {
            string[] further = [.. path.RequestHasRest ? rest : [], .. Enumerable.Repeat(_someText, more)];
            if (_earlier.MethodThatReaches(route, [.. texts, .. further]) is { } method)
                return (
                    $"{(isSure ? "" : "a request such as ")}{method} {PathOf([.. texts, .. further])}",
                    PathOf(path.SentHasRest ? [.. sent, .. further] : sent));
        }

        return null;
    }

    private string Text(SegmentText text) => text.IsWhole ? text.Start : text.Start + (text.Ids is null ? _someText : _someId) + text.End;

    private static string PathOf(IEnumerable<string> segments) => "/" + string.Join('/', segments);

    private static string Unused(string text, HashSet<string> texts) => texts.Contains(text) ? Unused(text + "x", texts) : text;
}
