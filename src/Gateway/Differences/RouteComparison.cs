using System.Globalization;
using Gateway.Configuration.Rules;
using IotCredentials.Http;
using IotCredentials.Operations;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Differences;

/// <summary>
/// Compares the routes of two configurations. A request that another route takes than before is judged by what the two routes ask for, whatever made it move:
/// a route that was added, removed, or matches something else, or another Order.
/// </summary>
internal sealed class RouteComparison
{
    private const string Routes = "ReverseProxy:Routes:";
    private const int MostReasons = 3;

    private readonly EffectiveConfiguration _before;
    private readonly EffectiveConfiguration _after;
    private readonly Table _old;
    private readonly Table _new;
    private readonly HashSet<string> _inBoth;

    public RouteComparison(EffectiveConfiguration before, EffectiveConfiguration after)
    {
        (_before, _after, _old, _new) = (before, after, new(before), new(after));
        _inBoth = _old.Routes.Keys.Where(_new.Routes.ContainsKey).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>Returns the changes, in the order of the routes' names.</summary>
    public IEnumerable<Change> Changes()
    {
        foreach (var id in _old.Routes.Keys.Union(_new.Routes.Keys, StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase))
        {
            var (old, current) = (_old.Routes.GetValueOrDefault(id), _new.Routes.GetValueOrDefault(id));
            foreach (var change in old is null ? [Added(current!)] : current is null ? [Removed(old)] : Changed(old, current)) yield return change;
        }

        foreach (var change in Moves()) yield return change;
    }

    private Change Added(RouteRequests route)
    {
        var isNew = !IsCoveredBefore(route);
        return new(isNew ? Effect.Loosened : Effect.Changed, SubjectOf(route),
            $"added: {route.Written}{(isNew ? ", which may take requests that no route took" : "")}");
    }

    private static Change Removed(RouteRequests route) => new(Effect.Tightened, SubjectOf(route), $"removed: {route.Written}");

    private IEnumerable<Change> Changed(RouteRequests old, RouteRequests current)
    {
        var subject = SubjectOf(current);
        if (old.Text != current.Text)
        {
            var isNew = !old.Covers(current, _old.Paths) && !IsCoveredBefore(current);
            yield return new(isNew ? Effect.Loosened : current.Covers(old, _new.Paths) ? Effect.Changed : Effect.Tightened, subject,
                $"matches {old.Written} → {current.Written}{(isNew ? ", and may take requests that no route took" : "")}");
        }
        else if (old.Written != current.Written && RoutePath.BindsOrganization(old.Route) != RoutePath.BindsOrganization(current.Route))
        {
            yield return new(Effect.Loosened, subject, $"matches {old.Written} → {current.Written}: the path's organization is another");
        }

        if (old.Precedence.Order != current.Precedence.Order)
            yield return new(
                Effect.Changed, subject, string.Create(CultureInfo.InvariantCulture, $"Order: {old.Precedence.Order} → {current.Precedence.Order}"));
        foreach (var change in Compare(old, current, isMove: false)) yield return change;
    }

    // Every pair of routes of which the second may take a request now that the first took before.
    private IEnumerable<Change> Moves()
    {
        var changedBefore = _old.Routes.Where(route => IsChanged(route.Key)).Select(static route => route.Value).ToHashSet();
        foreach (var (id, current) in _new.Routes)
        {
            foreach (var old in IsChanged(id) ? _old.Routes.Values : (IEnumerable<RouteRequests>)changedBefore)
            {
                if (SameId(old, current) || !old.Meets(current) || !MayMove(old, current)) continue;
                var changes = Compare(old, current, isMove: true).ToList();
                var reasons = changes.Where(static change => change.Loosens).Select(static change => change.Text).ToList();
                var effect = reasons.Count > 0 ? Effect.Loosened
                    : changes.Exists(static change => change.Effect == Effect.Tightened) ? Effect.Tightened
                    : Effect.Changed;
                var words = reasons.Count == 0 ? ""
                    : ", and asks for less: " + string.Join("; ", reasons.Take(MostReasons)) + (reasons.Count > MostReasons ? "; …" : "");
                var example = (old.Precedence.Path <= current.Precedence.Path ? old : current).Example;
                yield return new(effect, SubjectOf(current), $"may take requests that route {old.Route.RouteId} took, such as {example}{words}");
            }
        }
    }

    private bool IsChanged(string id) =>
        !_inBoth.Contains(id) || _old.Routes[id].Text != _new.Routes[id].Text || _old.Routes[id].Precedence != _new.Routes[id].Precedence;

    // Not if the old route still comes first for all it took, nor if the new one came first before for all it takes.
    private bool MayMove(RouteRequests old, RouteRequests current) =>
        !(_new.Routes.TryGetValue(old.Route.RouteId, out var still)
            && still.Covers(old, _new.Paths) && still.Precedence.CompareTo(current.Precedence) < 0)
        && !(_old.Routes.TryGetValue(current.Route.RouteId, out var already)
            && already.Covers(current, _old.Paths) && already.Precedence.CompareTo(old.Precedence) < 0);

    private bool IsCoveredBefore(RouteRequests route) =>
        _old.Routes.Values.Any(other => !SameId(other, route) && other.Meets(route) && other.Covers(route, _old.Paths));

    private IEnumerable<Change> Compare(RouteRequests old, RouteRequests current, bool isMove)
    {
        var (before, after) = (_before.Routes[old.Route.RouteId], _after.Routes[current.Route.RouteId]);
        if (isMove)
        {
            // A request that moves is sent elsewhere, in another form. That says nothing of who may send it.
            string[] elsewhere = [nameof(RouteConfig.ClusterId), nameof(RouteConfig.Transforms), "TransformValues"];
            (before, after) = (before.Without(elsewhere), after.Without(elsewhere));
        }
        else
        {
            (before, after) = (WithOthers(before, old, _old), WithOthers(after, current, _new));
        }

        foreach (var change in SettingComparison.Compare(before, after, Routes + current.Route.RouteId, SubjectOf(current))) yield return change;
        if (ModuleRoute.ModuleOf(old.Route) is null || ModuleRoute.ModuleOf(current.Route) is null
            || (ModuleRoute.ProfileOf(old.Route), ModuleRoute.ProfileOf(current.Route)) is var (profile, other) && profile == other
            || _before.Snapshot.Profiles is not { } profiles || _after.Snapshot.Profiles is not { } others)
            yield break;
        foreach (var difference in ProfileComparison.Compare(profiles, profile, others, other))
        {
            var text = $"profile {other}: {difference.Key}: {difference.Description}";
            yield return new(ConfigurationComparison.EffectOf(difference.Effect), SubjectOf(current), text);
        }
    }

    // Routes with the same limit use it up together.
    private Setting WithOthers(Setting route, RouteRequests requests, Table table) =>
        route.Members.GetValueOrDefault(EffectiveConfiguration.Limit) is { } limit
            ? route.With(EffectiveConfiguration.Limit, limit.With("CountedWith", Setting.Of(table.Limited[requests.Route.RateLimiterPolicy!]
                .Where(id => _inBoth.Contains(id) && !id.Equals(requests.Route.RouteId, StringComparison.OrdinalIgnoreCase)))))
            : route;

    private static bool SameId(RouteRequests one, RouteRequests other) => one.Route.RouteId.Equals(other.Route.RouteId, StringComparison.OrdinalIgnoreCase);

    private static string SubjectOf(RouteRequests route) => $"route {route.Route.RouteId}";

    private sealed class Table
    {
        public Table(EffectiveConfiguration configuration)
        {
            foreach (var route in configuration.Snapshot.Routes)
            {
                Routes[route.RouteId] = new(route);
                Paths.Add(route);
            }

            Limited = configuration.Snapshot.Routes.Where(static route => route.RateLimiterPolicy is not null)
                .ToLookup(static route => route.RateLimiterPolicy!, static route => route.RouteId, StringComparer.Ordinal);
        }

        public SortedDictionary<string, RouteRequests> Routes { get; } = new(StringComparer.OrdinalIgnoreCase);

        public PathTree Paths { get; } = new();

        public ILookup<string, string> Limited { get; }
    }
}
