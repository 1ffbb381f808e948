using System.Globalization;
using Gateway.Configuration;
using Gateway.Configuration.Rules.Paths;
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
    // The old id of each new route that was there before. A route that matches the same under another id is the same.
    private readonly Dictionary<string, string> _oldIds = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _kept;
    private int _pairsLeft;

    /// <summary>Prepares the comparison.</summary>
    /// <param name="before">The configuration before.</param>
    /// <param name="after">The configuration after.</param>
    /// <param name="mostPairs">How many pairs of routes are compared. If there are more, a change says so.</param>
    public RouteComparison(EffectiveConfiguration before, EffectiveConfiguration after, int mostPairs)
    {
        (_before, _after, _old, _new, _pairsLeft) = (before, after, new(before), new(after), mostPairs);
        var removed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (id, route) in _old.Routes)
            if (!_new.Routes.ContainsKey(id)) removed.TryAdd(route.Text, id);
        foreach (var (id, route) in _new.Routes)
            if (_old.Routes.ContainsKey(id)) _oldIds[id] = id;
            else if (removed.Remove(route.Text, out var old)) _oldIds[id] = old;
        _kept = _oldIds.Values.ToHashSet(StringComparer.OrdinalIgnoreCase);
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
        if (_pairsLeft < 0)
            yield return new(Effect.Unjudged, "routes", "so many are changed that not all are compared here: the command diff compares them");
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
            var hidden = old.Written == current.Written ? " (values are not shown)" : "";
            yield return new(isNew ? Effect.Loosened : current.Covers(old, _new.Paths) ? Effect.Changed : Effect.Tightened, subject,
                $"matches {old.Written} → {current.Written}{hidden}{(isNew ? ", and may take requests that no route took" : "")}");
        }

        if (old.Written != current.Written && RoutePath.BindsOrganization(old.Route) != RoutePath.BindsOrganization(current.Route))
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
                if (--_pairsLeft < 0) yield break;
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
        !_old.Routes.TryGetValue(id, out var old) || !_new.Routes.TryGetValue(id, out var current)
        || old.Text != current.Text || old.Precedence != current.Precedence;

    // Not if the old route still comes first for all it took, nor if the new one came first before for all it takes.
    private bool MayMove(RouteRequests old, RouteRequests current) =>
        !(_new.Routes.TryGetValue(old.Route.RouteId, out var still)
            && still.Covers(old, _new.Paths) && still.Precedence.CompareTo(current.Precedence) < 0)
        && !(_old.Routes.TryGetValue(current.Route.RouteId, out var already)
            && already.Covers(current, _old.Paths) && already.Precedence.CompareTo(old.Precedence) < 0);

    // If too many are compared already, the answer is the one that makes a change count.
    private bool IsCoveredBefore(RouteRequests route) =>
        _old.Routes.Values.Any(other => --_pairsLeft >= 0 && !SameId(other, route) && other.Meets(route) && other.Covers(route, _old.Paths));

    private IEnumerable<Change> Compare(RouteRequests old, RouteRequests current, bool isMove)
    {
        var (before, after) = (_before.Routes[old.Route.RouteId], _after.Routes[current.Route.RouteId]);
        before = WithOthers(before, old.Route.RouteId, _old.Limited[old.Route.RateLimiterPolicy ?? ""].Where(_kept.Contains));
        after = WithOthers(after, _oldIds.GetValueOrDefault(current.Route.RouteId), _new.Limited[current.Route.RateLimiterPolicy ?? ""]
            .Select(_oldIds.GetValueOrDefault).OfType<string>());
        if (isMove && old.Text != current.Text && !SameCluster(old, current))
        {
            // A request that moves to another cluster is sent there in another form. That says nothing of who may send it.
            string[] elsewhere = [nameof(RouteConfig.ClusterId), nameof(RouteConfig.Transforms), "TransformValues"];
            (before, after) = (before.Without(elsewhere), after.Without(elsewhere));
        }

        foreach (var change in CompareClusters(old, current)) yield return change;
        foreach (var change in SettingComparison.Compare(before, after, Routes + current.Route.RouteId, SubjectOf(current))) yield return change;
        if (ModuleRoute.ModuleOf(old.Route) is null || ModuleRoute.ModuleOf(current.Route) is null
            || (ModuleRoute.ProfileOf(old.Route), ModuleRoute.ProfileOf(current.Route)) is var (profile, other) && profile == other
            || _before.Snapshot.Profiles is not { } profiles || _after.Snapshot.Profiles is not { } others)
            yield break;
        foreach (var difference in ProfileComparison.Compare(profiles, profile, others, other))
        {
            var whose = difference.Organization is { } organization ? $" for {organization}" : "";
            var text = $"profile {other}{whose}: {difference.Key}: {difference.Description}";
            yield return new(ConfigurationComparison.EffectOf(difference.Effect), SubjectOf(current), text);
        }
    }

    // What another cluster does with the requests of a route. The route's own change says where it leads.
    private IEnumerable<Change> CompareClusters(RouteRequests old, RouteRequests current)
    {
        var (id, other) = (old.Route.ClusterId, current.Route.ClusterId);
        if (SameCluster(old, current) || _before.ClusterOf(id) is not { } before || _after.ClusterOf(other) is not { } after)
            return [];
        return SettingComparison.Compare(before, after, $"ReverseProxy:Clusters:{other}", "")
            .Where(static change => change.Effect != Effect.Changed)
            .Select(change => new Change(change.Effect, SubjectOf(current), $"cluster {other}: {change.Subject}: {change.Text}"));
    }

    // Routes with the same limit use it up together, unless it counts each route apart.
    private static Setting WithOthers(Setting route, string? self, IEnumerable<string> sharing) =>
        route.Members.GetValueOrDefault(EffectiveConfiguration.Limit) is { } limit
            && limit.Members[EffectiveConfiguration.PartitionBy].Text != nameof(RateLimitPartitionKey.Route)
            ? route.With(EffectiveConfiguration.Limit, limit.With(
                "CountedWith", Setting.Of(sharing.Where(id => !id.Equals(self, StringComparison.OrdinalIgnoreCase)))))
            : route;

    private static bool SameId(RouteRequests one, RouteRequests other) => one.Route.RouteId.Equals(other.Route.RouteId, StringComparison.OrdinalIgnoreCase);

    private static bool SameCluster(RouteRequests one, RouteRequests other) =>
        string.Equals(one.Route.ClusterId, other.Route.ClusterId, StringComparison.OrdinalIgnoreCase);

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
