using System.Collections.Frozen;

namespace Gateway.Forwarding.Connections;

/// <summary>Reads the header <c>Connection</c>.</summary>
internal static class ConnectionOptions
{
    // Words that name no header, or one that the next step still reads.
    private static readonly FrozenSet<string> s_others =
        FrozenSet.ToFrozenSet(["close", "keep-alive", "upgrade", "transfer-encoding"], StringComparer.OrdinalIgnoreCase);

    /// <summary>The headers that it names, which are for one hop only. Its other words name none.</summary>
    public static IReadOnlyCollection<string> NamesIn(IEnumerable<string?> values)
    {
        List<string>? names = null;
        foreach (var value in values)
        {
            // Most are one word.
            if (string.IsNullOrEmpty(value) || s_others.Contains(value)) continue;
            foreach (var word in value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                if (!s_others.Contains(word)) (names ??= []).Add(word);
        }

        return names ?? (IReadOnlyCollection<string>)[];
    }
}
