using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace IotCredentials;

/// <summary>
/// The form of this platform's organization ids: a prefix, then <see cref="MinLength"/> to <see cref="MaxLength"/> characters of a set.
/// </summary>
public sealed class OrganizationIdFormat
{
    private const int LongestLength = 64;

    private readonly SearchValues<char> _characters;

    private OrganizationIdFormat(string prefix, IReadOnlySet<char> characters, OrganizationIdLengthOptions length)
    {
        Prefix = prefix;
        (MinLength, MaxLength) = (length.Min, length.Max);
        Characters = [.. characters.Order()];
        _characters = SearchValues.Create(Characters.ToArray());
        ShortestId = new OrganizationId(prefix + new string(Characters[0], MinLength));
        LongestId = new OrganizationId(prefix + new string(Characters[0], MaxLength));
    }

    /// <summary>The prefix of every id; may be empty.</summary>
    public string Prefix { get; }

    /// <summary>The minimum number of characters of an id after its prefix.</summary>
    public int MinLength { get; }

    /// <summary>The maximum number of characters of an id after its prefix.</summary>
    public int MaxLength { get; }

    /// <summary>Whether all ids have the same length. Then no id is the beginning of another.</summary>
    internal bool HasOneLength => MinLength == MaxLength;

    /// <summary>The characters that an id may hold after its prefix, in ordinal order; never empty.</summary>
    public IReadOnlyList<char> Characters { get; }

    /// <summary>An id of the minimum length.</summary>
    internal OrganizationId ShortestId { get; }

    /// <summary>An id of the maximum length, for the longest text that a template can render.</summary>
    public OrganizationId LongestId { get; }

    /// <summary>Some example ids, the shortest first.</summary>
    public IEnumerable<OrganizationId> Examples
    {
        get
        {
            var (shortest, first, last) = (ShortestId.Value, Characters[0], Characters[^1]);
            string[] texts =
            [
                shortest, shortest + first, shortest[..^1] + last, $"{Prefix}{last}{shortest[(Prefix.Length + 1)..]}", Prefix + new string(last, MinLength),
            ];
            foreach (var text in texts.Distinct())
                if (TryParse(text, out var id)) yield return id;
        }
    }

    /// <summary>The form in words, with the key that sets it.</summary>
    internal string Description =>
        $"Ids have the form of IotCredentials:OrganizationId: the prefix \"{Prefix}\", then {Lengths} characters of {new string([.. Characters])}.";

    /// <summary>The longest id in words, with the key that bounds it.</summary>
    internal string LongestDescription =>
        $"{LongestId.Value.Length} characters ({(Prefix.Length > 0 ? $"the prefix \"{Prefix}\" and " : "")}{MaxLength}, "
        + "IotCredentials:OrganizationId:Length:Max)";

    private string Lengths => HasOneLength ? $"{MinLength}" : $"{MinLength} to {MaxLength}";

    /// <summary>Reads an id. Returns false, and never throws, if the text is not an id.</summary>
    public bool TryParse(string? text, [NotNullWhen(true)] out OrganizationId? id)
    {
        var valid = text is not null
            && text.Length >= Prefix.Length + MinLength
            && text.Length <= Prefix.Length + MaxLength
            && text.StartsWith(Prefix, StringComparison.Ordinal)
            && !text.AsSpan(Prefix.Length).ContainsAnyExcept(_characters);
        id = valid ? new OrganizationId(text!) : null;
        return valid;
    }

    /// <summary>Whether an id may hold the character after its prefix. A character that it may not hold closes an id.</summary>
    public bool Contains(char character) => _characters.Contains(character);

    /// <summary>
    /// Whether an id may hold the character anywhere. A character that it may not hold marks the beginning of an id that is read from its end.
    /// </summary>
    internal bool MayHold(char character) => Contains(character) || Prefix.Contains(character, StringComparison.Ordinal);

    /// <summary>Creates the format from the options; null, with at least one finding that contains the option's name, if they are invalid.</summary>
    public static OrganizationIdFormat? TryCreate(OrganizationIdOptions options, out IReadOnlyList<Finding> findings)
    {
        // A configuration file can set null, although the options declare a string.
        var prefix = options.Prefix ?? "";
        var found = new List<Finding>();
        foreach (var stray in prefix.Where(character => !MayBeInId(character)))
            found.Add(Finding.Of(FindingCode.IdAlphabet, $"Prefix holds {Show(stray)}; it may hold only A-Z a-z 0-9 - _."));
        var characters = ReadSet(options.Characters ?? "", found);
        var length = options.Length ?? new();
        if (length.Min < 1 || length.Min > length.Max || length.Max > LongestLength)
            found.Add(Finding.Of(FindingCode.IdLength,
                $"Length is {length.Min} to {length.Max}; Min is at least 1 and not over Max, and Max is at most {LongestLength}."));
        findings = found;
        return found.Count == 0 ? new OrganizationIdFormat(prefix, characters, length) : null;
    }

    private static HashSet<char> ReadSet(string text, List<Finding> findings)
    {
        var set = new HashSet<char>();
        for (var i = 0; i < text.Length; i++)
        {
            var first = text[i];
            if (!MayBeInId(first))
            {
                findings.Add(Finding.Of(FindingCode.IdAlphabet,
                    $"Characters holds {Show(first)}; it may hold only A-Z a-z 0-9 - _ and ranges of them."));
                continue;
            }

            if (!IsRange(text, i))
            {
                set.Add(first);
                continue;
            }

            var last = text[i + 2];
            // A range over two alphabets includes the characters between them: A-z includes [ \ ] ^ and the backtick.
            if (AlphabetOf(first) != AlphabetOf(last) || first > last)
                findings.Add(Finding.Of(FindingCode.Range,
                    $"Characters holds the range {first}-{last}; a range lies inside A-Z, a-z or 0-9 and goes upwards."));
            for (var character = first; character <= last; character++)
                set.Add(character);
            i += 2;
            // "a-c-e" can be read in more than one way, so it is rejected.
            if (IsRange(text, i))
                findings.Add(Finding.Of(FindingCode.Range,
                    $"Characters holds {first}-{last}-{text[i + 2]}, which can be read in two ways; a literal - stands first or last."));
        }

        if (text.Length == 0)
            findings.Add(Finding.Of(FindingCode.IdAlphabet,
                "Characters is empty; an id has at least one character after its prefix."));
        return set;
    }

    private static bool IsRange(string text, int index) =>
        index + 2 < text.Length && text[index + 1] == '-' && char.IsAsciiLetterOrDigit(text[index]) && char.IsAsciiLetterOrDigit(text[index + 2]);

    private static bool MayBeInId(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_';

    private static char AlphabetOf(char character) => char.IsAsciiDigit(character) ? '0' : char.IsAsciiLetterUpper(character) ? 'A' : 'a';

    private static string Show(char character) => character is > ' ' and < '\x7f' ? $"`{character}`" : $"U+{(int)character:X4}";
}
