using System.Net;
using System.Text.RegularExpressions;

namespace IotCredentials.Failures;

/// <summary>
/// Removes possible secrets from a text: the part before an <c>@</c>, the value of a name such as <c>password</c>, and runs of characters that look random, as
/// keys and tokens do. In doubt, it removes: a finding's key says where to look.
/// </summary>
public static partial class SecretText
{
    private const string Hidden = "…";

    // Shorter runs are names. A 96-bit secret has this many characters in base64.
    private const int ShortestRun = 16;
    private const int ShortestWithoutDigit = 24;
    private const int ShortestHex = 32;
    private const int LongRun = 40;

    /// <summary>A value without its possible secrets.</summary>
    public static string Hide(string value)
    {
        // A key may be split into lines and groups, by spaces, quotes or escapes.
        var joined = Separators().Replace(value, "");
        if (value.Contains("-----BEGIN", StringComparison.Ordinal) || (joined.Length != value.Length && IsRandom(joined)) || IsGroupedHex(value)) return Hidden;
        var at = value.LastIndexOf('@');
        if (at >= 0)
        {
            var authority = value.IndexOf("//", StringComparison.Ordinal);
            value = $"{(authority >= 0 && authority < at ? value[..(authority + 2)] : "")}{Hidden}{value[at..]}";
        }

        return HideRuns(Given().Replace(value, match => $"{match.Groups[1].Value}{Hidden}"));
    }

    /// <summary>A sentence without its possible secrets. A word with an <c>@</c> keeps only the part after it.</summary>
    public static string HideInSentence(string text) =>
        HideRuns(Given().Replace(Address().Replace(text, match => $"{match.Groups[1].Value}{Hidden}@"), match => $"{match.Groups[1].Value}{Hidden}"));

    private static string HideRuns(string text) => Run().Replace(text, match => IsRandom(match.Value) ? Hidden : match.Value);

    private static bool IsGroupedHex(string value) =>
        value.Length >= ShortestHex
        && !IPAddress.TryParse(value, out _)
        && Grouping().Replace(value, "") is { Length: >= ShortestHex } digits
        && digits.All(char.IsAsciiHexDigit)
        && digits.Any(char.IsAsciiLetter);

    // True if it holds a long text of letters and digits alone, if a part between slashes looks random, or if the whole run does, as for base64 that contains
    // slashes.
    private static bool IsRandom(string run) =>
        Unbroken().IsMatch(run)
        || run.Split('/').Any(part => LooksDrawn(part, ShortestRun, 0.22))
        || (run.Any(char.IsAsciiDigit) && run.Any(char.IsAsciiLetterUpper) && LooksDrawn(run, LongRun, 0.3));

    // True if the text is long enough and often switches from lower case to capitals or between letters and digits. Words do so seldom, random text at nearly
    // every other character.
    private static bool LooksDrawn(string text, int shortest, double rate)
    {
        var characters = text.Where(char.IsAsciiLetterOrDigit).ToArray();
        // A text without a digit is more often a name of short words.
        if (!characters.Any(char.IsAsciiDigit)) (shortest, rate) = (Math.Max(shortest, ShortestWithoutDigit), Math.Max(rate, 0.25));
        if (characters.Length < shortest) return false;
        if (characters.Length >= ShortestHex && characters.All(char.IsAsciiHexDigit) && characters.Any(char.IsAsciiLetter)) return true;
        if (Capitals().IsMatch(text)) return true;
        var switches = characters.Zip(characters.Skip(1)).Count(pair =>
            char.IsAsciiDigit(pair.First) != char.IsAsciiDigit(pair.Second) || (char.IsAsciiLetterLower(pair.First) && char.IsAsciiLetterUpper(pair.Second)));
        return switches >= rate * characters.Length;
    }

    [GeneratedRegex(@"[A-Za-z0-9+/=_%-]+")]
    private static partial Regex Run();

    // By chance, a random text may switch seldom. Names as long as this have separators or no digit.
    [GeneratedRegex("(?=[A-Za-z]*[0-9])[A-Za-z0-9]{32,}")]
    private static partial Regex Unbroken();

    // Base32, and ids of access keys. Names in capitals have separators.
    [GeneratedRegex("(?=[A-Z]*[0-9])[A-Z0-9]{20,}")]
    private static partial Regex Capitals();

    [GeneratedRegex("""\\[nrt]|[\s"'`\\]""")]
    private static partial Regex Separators();

    [GeneratedRegex(@"[\s:.,_\-]|0x")]
    private static partial Regex Grouping();

    // A password may hold any separator, so everything after the name is removed.
    [GeneratedRegex(
        """((?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|account|access|shared|private|sealing|client)[ _-]?key|sharedaccess\w*|credentials?|"""
        + """sig(?:nature)?)\w*["']?\s*[=:]\s*|\b(?:bearer|basic)\s+).+""",
        RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Given();

    [GeneratedRegex("""((?:["'(\s=,;]|^)(?:[a-z][a-z0-9+.-]*://)?)[^\s"']*@""", RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
