namespace Gateway.Differences;

/// <summary>Finds the changes between two settings, and judges each by <see cref="SettingRules"/>.</summary>
internal static class SettingComparison
{
    /// <summary>Returns the changes between two settings at a path.</summary>
    /// <param name="before">The setting before; null if there was none.</param>
    /// <param name="after">The setting after; null if there is none.</param>
    /// <param name="path">The path that rules are found by.</param>
    /// <param name="subject">What the changes are told of; names below it are added to its text.</param>
    public static IEnumerable<Change> Compare(Setting? before, Setting? after, string path, string subject) =>
        Compare(before, after, path, subject, "");

    private static IEnumerable<Change> Compare(Setting? before, Setting? after, string path, string subject, string name)
    {
        if (before is null && after is null) yield break;
        if (before is { Value: null } && after is { Value: null })
        {
            foreach (var member in before.Members.Keys.Union(after.Members.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                // Sections that ignore case find a name in either spelling; do not compare it twice.
                var (old, current) = (before.Members.GetValueOrDefault(member), after.Members.GetValueOrDefault(member));
                if (!before.Members.Keys.Contains(member, StringComparer.Ordinal) && old is not null) continue;
                var below = name.Length == 0 ? member : $"{name}:{member}";
                foreach (var change in Compare(old, current, path.Length == 0 ? member : $"{path}:{member}", subject, below)) yield return change;
            }

            yield break;
        }

        if (before is not null && after is not null && before.IsSameValue(after)) yield break;
        var rule = SettingRules.Find(path);
        if ((rule is null ? Effect.Unjudged : rule.Judge(before, after)) is not { } effect) yield break;
        var words = rule is { IsSecret: true } ? "changed, not shown"
            : before is null or { Value: null } && after is null or { Value: null } ? before is null ? "added" : "removed"
            : SettingText.Difference(before, after);
        yield return subject.Length == 0 ? new(effect, name, words) : new(effect, subject, $"{name}: {words}");
    }
}
