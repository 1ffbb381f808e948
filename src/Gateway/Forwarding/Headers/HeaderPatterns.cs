using System.Collections.Frozen;

namespace Gateway.Forwarding.Headers;

/// <summary>
/// A set of header names. A pattern that ends in <c>*</c> matches every name with that prefix, one that begins with <c>*</c> every name with that suffix.
/// Before names are compared, every character but ASCII letters and digits becomes <c>-</c>, because servers map headers to variables, where
/// <c>X_Gateway.Subject</c> and <c>X-Gateway-Subject</c> are the same.
/// </summary>
internal sealed class HeaderPatterns
{
    private const int LongestCompared = 64;

    private readonly FrozenSet<string> _names;
    private readonly string[] _prefixes;
    private readonly string[] _suffixes;

    public HeaderPatterns(params IEnumerable<string> patterns)
    {
        var mapped = patterns.ToLookup(
            static pattern => pattern switch { [.., '*'] => Part.Prefix, ['*', ..] => Part.Suffix, _ => Part.Whole },
            static pattern => Map(pattern.Trim('*'), new char[pattern.Length]).ToString());
        _names = mapped[Part.Whole].ToFrozenSet(StringComparer.Ordinal);
        _suffixes = [.. mapped[Part.Suffix]];
        // Drop prefixes that a shorter one covers. Then only the nearest prefix in sort order can match a name.
        var prefixes = mapped[Part.Prefix].Order(StringComparer.Ordinal).ToList();
        for (var i = prefixes.Count - 1; i > 0; i--)
        {
            if (prefixes[..i].Exists(shorter => prefixes[i].StartsWith(shorter, StringComparison.Ordinal))) prefixes.RemoveAt(i);
        }

        _prefixes = [.. prefixes];
    }

    private enum Part { Whole, Prefix, Suffix }

    public bool Contains(string name)
    {
        Span<char> characters = stackalloc char[Math.Min(name.Length, LongestCompared)];
        var mapped = Map(name.AsSpan(0, characters.Length), characters);
        if (name.Length <= LongestCompared && _names.GetAlternateLookup<ReadOnlySpan<char>>().Contains(mapped)) return true;
        return BeginsWithOne(mapped) || EndsWithOne(name.Length <= LongestCompared ? mapped : Map(name.AsSpan(name.Length - LongestCompared), characters));
    }

    private bool BeginsWithOne(ReadOnlySpan<char> mapped)
    {
        var (low, high) = (0, _prefixes.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (mapped.SequenceCompareTo(_prefixes[middle]) < 0) high = middle - 1;
            else low = middle + 1;
        }

        return high >= 0 && mapped.StartsWith(_prefixes[high], StringComparison.Ordinal);
    }

    private bool EndsWithOne(ReadOnlySpan<char> mapped)
    {
        foreach (var suffix in _suffixes)
        {
            if (mapped.EndsWith(suffix, StringComparison.Ordinal)) return true;
        }

        return false;
    }

    private static ReadOnlySpan<char> Map(ReadOnlySpan<char> name, Span<char> mapped)
    {
        for (var i = 0; i < name.Length; i++) mapped[i] = char.IsAsciiLetterOrDigit(name[i]) ? char.ToLowerInvariant(name[i]) : '-';
        return mapped[..name.Length];
    }
}
