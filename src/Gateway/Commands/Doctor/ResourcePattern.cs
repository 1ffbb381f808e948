namespace Gateway.Commands.Doctor;

/// <summary>Patterns of IAM: <c>*</c> stands for any text, <c>?</c> for any character.</summary>
internal static class ResourcePattern
{
    /// <summary>Whether a pattern covers a text.</summary>
    public static bool Covers(string pattern, string text)
    {
        var (at, star, resume) = (0, -1, 0);
        var index = 0;
        while (index < text.Length)
        {
            if (at < pattern.Length && pattern[at] == '*') (star, resume, at) = (at, index, at + 1);
            else if (at < pattern.Length && (pattern[at] == '?' || pattern[at] == text[index])) (at, index) = (at + 1, index + 1);
            else if (star >= 0) (at, index) = (star + 1, ++resume);
            else return false;
        }

        return pattern.AsSpan(at).TrimStart('*').IsEmpty;
    }

    /// <summary>A text that a pattern covers: each <c>*</c> becomes <paramref name="mark"/>.</summary>
    public static string Fill(string pattern, string mark) =>
        pattern.Replace("*", mark, StringComparison.Ordinal).Replace('?', 'x');

    /// <summary>A text that both patterns cover, which ends in <paramref name="mark"/> if they let it; null if there is none.</summary>
    public static string? Meet(string first, string second, string mark)
    {
        var dead = new HashSet<(int, int)>();
        var met = From(0, 0);
        return met is not null && first.EndsWith('*') && second.EndsWith('*') ? met + mark : met;

        string? From(int i, int j)
        {
            if (i == first.Length && j == second.Length) return "";
            if (dead.Contains((i, j))) return null;
            var (a, b) = (i < first.Length ? first[i] : '\0', j < second.Length ? second[j] : '\0');
            var text = a == '*' ? From(i + 1, j) ?? (b == '\0' ? null : b == '*' ? From(i, j + 1) : Behind(b, From(i, j + 1)))
                : b == '*' ? From(i, j + 1) ?? (a == '\0' ? null : Behind(a, From(i + 1, j)))
                : a == '\0' || b == '\0' ? null
                : a == b || b == '?' ? Behind(a, From(i + 1, j + 1))
                : a == '?' ? Behind(b, From(i + 1, j + 1))
                : null;
            if (text is null) dead.Add((i, j));
            return text;
        }

        static string? Behind(char character, string? rest) => rest is null ? null : (character == '?' ? 'x' : character) + rest;
    }
}
