using System.Globalization;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using Gateway.Configuration.Tree;
using IotCredentials.Operations;

namespace Gateway.Differences;

/// <summary>What a change of the configuration means: every difference between two configurations in effect, each with its effect.</summary>
internal static class ConfigurationComparison
{
    private const int MostTold = 3;
    private const int LongestTold = 200;

    private static readonly (Effect Effect, string Word)[] s_words =
    [
        (Effect.Loosened, "loosened"), (Effect.Unjudged, "not judged, which counts as loosened"), (Effect.Tightened, "tightened"),
        (Effect.Changed, "changed otherwise"),
    ];

    /// <summary>Returns the changes, those that loosen first.</summary>
    public static IReadOnlyList<Change> Of(Snapshot before, Snapshot after) => Of(new EffectiveConfiguration(before), new EffectiveConfiguration(after));

    /// <summary>Returns the changes, those that loosen first.</summary>
    /// <param name="before">The configuration before.</param>
    /// <param name="after">The configuration after.</param>
    /// <param name="mostPairs">How many pairs of routes are compared.</param>
    public static IReadOnlyList<Change> Of(EffectiveConfiguration before, EffectiveConfiguration after, int mostPairs = int.MaxValue)
    {
        var (rest, others) = (WithoutUsed(before, before, after), WithoutUsed(after, before, after));
        var changes = new RouteComparison(before, after, mostPairs).Changes()
            .Concat(SettingComparison.Compare(rest, others, "", ""))
            .Concat(RemovedKeys(before.Snapshot.Options.Authentication, after.Snapshot.Options.Authentication))
            .Concat(Profiles(before.Snapshot, after.Snapshot));
        return [.. changes.Distinct().OrderBy(static change => change.Effect)];
    }

    /// <summary>The changes in one short line.</summary>
    public static string Summary(IReadOnlyList<Change> changes)
    {
        if (changes.Count == 0) return "nothing that is served";
        var told = string.Join("; ", changes.Take(MostTold).Select(static change => $"{change.Subject}: {change.Text}"
            is { Length: > LongestTold } text ? text[..LongestTold] + "…" : $"{change.Subject}: {change.Text}"));
        return SettingText.OneLine($"{Counts(changes)}: {told}{(changes.Count > MostTold ? "; …" : "")}");
    }

    /// <summary>How many changes have each effect.</summary>
    public static string Counts(IReadOnlyList<Change> changes) => string.Join(", ", s_words
        .Select(kind => (kind.Word, Count: changes.Count(change => change.Effect == kind.Effect)))
        .Where(static kind => kind.Count > 0)
        .Select(static kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Count} {kind.Word}")));

    /// <summary>The gateway's word for the module's.</summary>
    public static Effect EffectOf(ProfileEffect effect) => effect switch
    {
        ProfileEffect.Loosened => Effect.Loosened,
        ProfileEffect.Tightened => Effect.Tightened,
        ProfileEffect.Changed => Effect.Changed,
        _ => Effect.Unjudged,
    };

    private static IEnumerable<Change> Profiles(Snapshot before, Snapshot after) =>
        before.Profiles is not { } old || after.Profiles is not { } current ? []
        : ProfileComparison.Compare(old, current).Select(static difference => new Change(
            EffectOf(difference.Effect),
            $"profile {difference.Profile}{(difference.Organization is { } organization ? $" for {organization}" : "")}",
            difference.Key.Length == 0 ? difference.Description : $"{difference.Key}: {difference.Description}"));

    // The gateway knows a key of its own before it asks the introspection endpoint, which may know the same key as another caller.
    private static IEnumerable<Change> RemovedKeys(AuthenticationSchemesOptions before, AuthenticationSchemesOptions after) =>
        after.Introspection?.Accepts.Contains(IntrospectedKind.ApiKey) != true ? []
        : (before.ApiKeys?.Keys.Keys ?? []).Where(name => after.ApiKeys?.Keys.ContainsKey(name) != true)
            .Select(static name => new Change(Effect.Loosened, $"{KeyPath.ApiKeys}:{name}", "removed: the introspection endpoint may accept the key"));

    // The policies that routes use are compared on the routes.
    private static Setting WithoutUsed(EffectiveConfiguration configuration, params EffectiveConfiguration[] both)
    {
        var routes = both.SelectMany(static one => one.Snapshot.Routes).ToArray();
        return Without(
            Without(
                Without(configuration.Rest, nameof(GatewayOptions.Authorization), routes.Select(static route => route.AuthorizationPolicy)
                    .Concat(both.Select(static one => one.Snapshot.Options.Management.AuthorizationPolicy))),
                nameof(GatewayOptions.RateLimiting), routes.Select(static route => route.RateLimiterPolicy)),
            nameof(GatewayOptions.Cors), routes.Select(static route => route.CorsPolicy));

        static Setting Without(Setting root, string section, IEnumerable<string?> used)
        {
            var names = used.ToHashSet(StringComparer.Ordinal);
            var policies = root.Members[section].Members["Policies"].Members.Where(policy => !names.Contains(policy.Key));
            var unused = Setting.Section(policies.Select(static policy => KeyValuePair.Create(policy.Key, (Setting?)policy.Value)), StringComparer.Ordinal);
            return root.With(section, root.Members[section].With("Policies", unused));
        }
    }
}
