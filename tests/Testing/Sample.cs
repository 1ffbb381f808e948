namespace Testing;

/// <summary>
/// Picks a few rows of a long table, different ones each day, or fewer repetitions, so that <c>dotnet test</c> stays short. <c>TEST_ROWS=all</c> picks all,
/// as <c>.ci/run</c> does.
/// </summary>
public static class Sample
{
    private static readonly bool s_isAll = Environment.GetEnvironmentVariable("TEST_ROWS") == "all";

    public static int Count(int few, int all) => s_isAll ? all : few;

    public static IReadOnlyList<T> Of<T>(int count, IEnumerable<T> rows)
    {
        var all = rows.ToArray();
        if (s_isAll) return all;
        new Random(DateTime.UtcNow.DayOfYear).Shuffle(all);
        return all[..Math.Min(count, all.Length)];
    }
}
