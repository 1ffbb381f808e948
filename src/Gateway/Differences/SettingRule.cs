namespace Gateway.Differences;

/// <summary>A rule for the settings of one kind.</summary>
/// <param name="Pattern">Their path: <c>*</c> stands for one name or a part of one, <c>**</c> for any number of names.</param>
/// <param name="Judge">Returns what a change means, or null if both mean the same. An absent setting is null.</param>
internal sealed record SettingRule(string Pattern, Func<Setting?, Setting?, Effect?> Judge)
{
    private readonly string[] _names = Pattern.Split(':');

    /// <summary>Whether the value is never shown.</summary>
    public bool IsSecret { get; init; }

    /// <summary>Whether the value is part of the configuration's hash.</summary>
    public bool IsHashed { get; init; } = true;

    /// <summary>Whether the rule is about the setting at this path.</summary>
    public bool Names(ReadOnlySpan<string> path) => Matches(_names, path);

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path)
    {
        if (pattern.IsEmpty) return path.IsEmpty;
        if (pattern[0] == "**")
        {
            // A section's rest includes the section itself.
            for (var skipped = 0; skipped <= path.Length; skipped++)
                if (Matches(pattern[1..], path[skipped..])) return true;
            return false;
        }

        return !path.IsEmpty && IsNamed(pattern[0], path[0]) && Matches(pattern[1..], path[1..]);
    }

    private static bool IsNamed(string pattern, string name)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        return star < 0
            ? pattern.Equals(name, StringComparison.OrdinalIgnoreCase)
            : name.Length >= pattern.Length - 1
                && name.StartsWith(pattern[..star], StringComparison.OrdinalIgnoreCase)
                && name.EndsWith(pattern[(star + 1)..], StringComparison.OrdinalIgnoreCase);
    }
}
