using System.Buffers;
using System.Collections.Concurrent;

namespace Testing;

/// <summary>
/// Every secret that the tests of this process issued, and whether any of them was told. Text is looked at once, as it comes, and not kept:
/// of secrets and texts alike only runs of letters and digits count, so that no escape hides one, and of a run its beginning, so that one cut short is found.
/// </summary>
public static class IssuedSecrets
{
    private const int Beginning = 12;

    private static readonly SearchValues<char> s_letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    private static readonly ConcurrentDictionary<string, byte> s_beginnings = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, byte>.AlternateLookup<ReadOnlySpan<char>> s_lookup =
        s_beginnings.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly ConcurrentQueue<string> s_told = new();

    /// <summary>Where secrets were told, and around which words; the secrets themselves are left out.</summary>
    public static IReadOnlyCollection<string> Told => s_told;

    public static void Add(string secret)
    {
        ReadOnlySpan<char> rest = secret;
        while (TryTake(ref rest, out var run)) s_beginnings[run[..Beginning].ToString()] = 0;
    }

    public static void Check(string place, string? text)
    {
        ReadOnlySpan<char> rest = text;
        while (TryTake(ref rest, out var run))
        {
            if (!s_lookup.ContainsKey(run[..Beginning])) continue;
            s_told.Enqueue($"{place}: {text.AsSpan(0, Math.Min(text!.Length - rest.Length - run.Length, 200))}…");
            return;
        }
    }

    private static bool TryTake(ref ReadOnlySpan<char> rest, out ReadOnlySpan<char> run)
    {
        while (rest.IndexOfAny(s_letters) is >= 0 and var start)
        {
            rest = rest[start..];
            var length = rest.IndexOfAnyExcept(s_letters) is >= 0 and var end ? end : rest.Length;
            run = rest[..length];
            rest = rest[length..];
            if (length >= Beginning) return true;
        }

        run = default;
        return false;
    }
}
