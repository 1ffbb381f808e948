using System.Buffers;
using System.Collections.Concurrent;

namespace Testing;

/// <summary>
/// The secrets that tests of this process issued, and the texts that leaked one. Each text is checked when it arrives, and not kept. Only runs of letters and
/// digits are compared, so that escaping hides no secret, and only the beginning of a run, so that a truncated secret is found.
/// </summary>
public static class IssuedSecrets
{
    private const int Beginning = 12;

    private static readonly SearchValues<char> s_letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
    private static readonly ConcurrentDictionary<string, byte> s_beginnings = new(StringComparer.Ordinal);
    private static readonly ConcurrentDictionary<string, byte>.AlternateLookup<ReadOnlySpan<char>> s_lookup =
        s_beginnings.GetAlternateLookup<ReadOnlySpan<char>>();
    private static readonly ConcurrentQueue<string> s_leaks = new();

    /// <summary>The places where a secret was found, each with the text before it but without the secret.</summary>
    public static IReadOnlyCollection<string> Leaks => s_leaks;

    public static void Add(string secret)
    {
        ReadOnlySpan<char> rest = secret;
        while (TryTake(ref rest, out var run)) s_beginnings[run[..Beginning].ToString()] = 0;
    }

    public static void Check(string place, string? text)
    {
        if (Find(text) is { } start) s_leaks.Enqueue($"{place}: {text.AsSpan(0, Math.Min(start, 200))}…");
    }

    /// <summary>Whether a text holds a secret.</summary>
    public static bool IsIn(string text) => Find(text) is not null;

    // Where the first secret begins.
    private static int? Find(ReadOnlySpan<char> text)
    {
        var rest = text;
        while (TryTake(ref rest, out var run))
        {
            if (s_lookup.ContainsKey(run[..Beginning])) return text.Length - rest.Length - run.Length;
        }

        return null;
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
