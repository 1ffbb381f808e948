namespace Gateway.Tests.Configuration;

/// <summary>The slips of a name that typists make.</summary>
internal static class Misspelling
{
    /// <summary>At the name's beginning, middle and end: a letter dropped, one doubled, two neighbours swapped.</summary>
    public static IEnumerable<string> Of(string name)
    {
        int[] places = [0, 1, name.Length / 2, name.Length - 2, name.Length - 1];
        return places.Where(place => place >= 0 && place < name.Length)
            .SelectMany(place => new[] { Dropped(name, place), Doubled(name, place), Swapped(name, place) })
            .Where(slip => slip.Length > 0 && !slip.Equals(name, StringComparison.OrdinalIgnoreCase))
            .Distinct(StringComparer.OrdinalIgnoreCase);
    }

    private static string Dropped(string name, int place) => name.Remove(place, 1);

    private static string Doubled(string name, int place) => name.Insert(place, name[place].ToString());

    private static string Swapped(string name, int place) =>
        place + 1 == name.Length ? name : string.Concat(name.AsSpan(0, place), [name[place + 1], name[place]], name.AsSpan(place + 2));
}
