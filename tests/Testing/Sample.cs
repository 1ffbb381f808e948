namespace Testing;

/// <summary>
/// Picks a few rows of a long table, always the same, or fewer repetitions, so that <c>dotnet test</c> stays short. <c>TEST_ROWS=all</c> picks all, as
/// <c>.ci/run</c> does.
/// </summary>
public static class Sample
{
    private static readonly bool s_isAll = Environment.GetEnvironmentVariable("TEST_ROWS") == "all";

    public static int Count(int few, int all) => s_isAll ? all : few;

    /// <summary>Rows from all parts of the table. Neighboring rows are often alike.</summary>
    public static IReadOnlyList<T> Of<T>(int count, IEnumerable<T> rows)
    {
        var all = rows.ToArray();
        return s_isAll || count >= all.Length ? all : [.. Enumerable.Range(0, count).Select(part => all[((2 * part) + 1) * all.Length / (2 * count)])];
    }
}
