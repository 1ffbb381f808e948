using System.Net;
using System.Text.RegularExpressions;

namespace CredentialModule.Telemetry;

/// <summary>
/// Takes out of a text what may be a secret: what stands before an <c>@</c>, what a name such as <c>password</c> is given, and runs of characters that
/// look drawn by lot, as keys and tokens do. What is not sure is taken out: a finding's key says where to look.
/// </summary>
internal static partial class SecretText
{
    private const string Hidden = "…";

    // Shorter ones are names; a 96-bit secret has as many characters in base64.
    private const int ShortestRun = 16;
    private const int ShortestWithoutDigit = 24;
    private const int ShortestHex = 32;
    private const int LongRun = 40;

    /// <summary>A value as far as it may be shown.</summary>
    public static string Hide(string value)
    {
        // A key may be broken into lines and groups, by spaces, quotes or escapes.
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

    /// <summary>A sentence as far as it may be shown: of a word with an <c>@</c> only what follows it.</summary>
    public static string HideInSentence(string text) =>
        HideRuns(Given().Replace(Address().Replace(text, match => $"{match.Groups[1].Value}{Hidden}@"), match => $"{match.Groups[1].Value}{Hidden}"));

    private static string HideRuns(string text) => Run().Replace(text, match => IsRandom(match.Value) ? Hidden : match.Value);

    private static bool IsGroupedHex(string value) =>
        value.Length >= ShortestHex && !IPAddress.TryParse(value, out _) && Grouping().Replace(value, "") is { Length: >= ShortestHex } digits && digits.All(char.IsAsciiHexDigit)
        && digits.Any(char.IsAsciiLetter);

    // Each part of what could be a path, or all of it when it is no path of words.
    private static bool IsRandom(string run) =>
        run.Split('/').Any(part => LooksDrawn(part, ShortestRun, 0.22)) || (run.Any(char.IsAsciiDigit) && run.Any(char.IsAsciiLetterUpper) && LooksDrawn(run, LongRun, 0.3));

    // Words go from small letters to capitals and to digits seldom, what is drawn by lot at nearly every other character.
    private static bool LooksDrawn(string text, int shortest, double rate)
    {
        var characters = text.Where(char.IsAsciiLetterOrDigit).ToArray();
        // Without a digit it is more often a name of short words.
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

    // Base32, and ids of access keys; names in capitals have separators.
    [GeneratedRegex("(?=[A-Z]*[0-9])[A-Z0-9]{20,}")]
    private static partial Regex Capitals();

    [GeneratedRegex("""\\[nrt]|[\s"'`\\]""")]
    private static partial Regex Separators();

    [GeneratedRegex(@"[\s:.,_\-]|0x")]
    private static partial Regex Grouping();

    // A password may hold any separator: all that follows goes.
    [GeneratedRegex("""((?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|account|access|shared|private|sealing|client)[ _-]?key|sharedaccess\w*|credentials?|sig(?:nature)?)\w*["']?\s*[=:]\s*|\b(?:bearer|basic)\s+).+""", RegexOptions.IgnoreCase | RegexOptions.Singleline)]
    private static partial Regex Given();

    [GeneratedRegex("""((?:["'(\s=,;]|^)(?:[a-z][a-z0-9+.-]*://)?)[^\s"']*@""", RegexOptions.IgnoreCase)]
    private static partial Regex Address();
}
