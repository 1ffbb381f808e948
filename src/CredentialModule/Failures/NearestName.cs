namespace IotCredentials.Failures;

/// <summary>Finds the name that was probably meant.</summary>
public static class NearestName
{
    private const int MostNames = 40;

    /// <summary>The nearest of some names, ignoring case; null if none is near enough for a typing error.</summary>
    public static string? Of(string written, IEnumerable<string> names) =>
        names.Where(name => Math.Abs(name.Length - written.Length) <= FarthestSlip(name, written))
            .Select(name => (Name: name, Distance: Distance(written.ToUpperInvariant(), name.ToUpperInvariant())))
            .Where(candidate => candidate.Distance <= FarthestSlip(candidate.Name, written))
            .OrderBy(candidate => candidate.Distance)
            .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();

    /// <summary>The name that differs by one typing error: a letter too many, too few, wrong or swapped with its neighbour; null if there is none.</summary>
    public static string? OfOneSlip(string written, IEnumerable<string> names) =>
        names.FirstOrDefault(name => Math.Abs(name.Length - written.Length) <= 1 && Distance(written.ToUpperInvariant(), name.ToUpperInvariant()) == 1);

    /// <summary>Suggests known names in place of an unknown one.</summary>
    public static string Advice(string written, IReadOnlyCollection<string> names)
    {
        if (Of(written, names) is { } nearest) return $"Did you mean \"{nearest}\"?";
        if (names.Count == 0) return "There is none.";
        var known = names.Order(StringComparer.OrdinalIgnoreCase).Take(MostNames);
        return $"Known here: {string.Join(", ", known)}{(names.Count > MostNames ? " and others" : "")}.";
    }

    private static int FarthestSlip(string one, string other) => Math.Max(1, Math.Min(one.Length, other.Length) / 3);

    // The restricted Damerau-Levenshtein distance: two swapped letters are one error, not two.
    private static int Distance(string one, string other)
    {
        var cost = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++) cost[i, 0] = i;
        for (var j = 0; j <= other.Length; j++) cost[0, j] = j;
        for (var i = 1; i <= one.Length; i++)
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = cost[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                cost[i, j] = Math.Min(replaced, Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                    cost[i, j] = Math.Min(cost[i, j], cost[i - 2, j - 2] + 1);
            }

        return cost[one.Length, other.Length];
    }
}
