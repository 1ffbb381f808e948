using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.Configuration.Rules.Paths;

/// <summary>
/// Derives texts that a constraint may accept from its definition: numbers at its bounds, texts of its lengths, and texts that match its regular
/// expression.
/// </summary>
internal static partial class ConstraintTexts
{
    private const int LongestText = 64;

    /// <summary>Returns candidate texts. Not all of them are accepted.</summary>
    public static IEnumerable<string> Of(string constraints)
    {
        foreach (Match match in Number().Matches(constraints))
        {
            if (!long.TryParse(match.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)) continue;
            yield return number.ToString(CultureInfo.InvariantCulture);
            yield return (number + 1).ToString(CultureInfo.InvariantCulture);
            yield return (number - 1).ToString(CultureInfo.InvariantCulture);
            if (number is <= 0 or > LongestText) continue;
            yield return new string('a', (int)number);
            yield return new string('1', (int)number);
        }

        const string Regex = "regex(";
        for (var start = Next(0); start >= 0; start = Next(start + 1))
            foreach (var text in Spelled(constraints[(start + Regex.Length)..])) yield return text;

        int Next(int from) => constraints.IndexOf(Regex, from, StringComparison.OrdinalIgnoreCase);
    }

    // Expands an expression's alternatives in a simplified way: a character class becomes its first character, a group its first alternative.
    private static IEnumerable<string> Spelled(string expression)
    {
        var end = expression.LastIndexOf(')');
        if (end >= 0) expression = expression[..end];
        expression = expression.Trim('^', '$');
        if (expression.StartsWith('(') && expression.EndsWith(')')) expression = expression[1..^1];
        foreach (var alternative in expression.Split('|'))
            foreach (var repeat in new[] { 1, 3, 0 }) yield return Spell(alternative.TrimStart('?', ':', '(', '^').TrimEnd(')', '$'), repeat);
    }

    private static string Spell(string pattern, int repeat)
    {
        var text = new StringBuilder();
        for (var index = 0; index < pattern.Length && text.Length < LongestText; index++)
        {
            var character = pattern[index];
            if (character == '\\' && index + 1 < pattern.Length)
                text.Append(pattern[++index] switch { 'd' => '1', 'w' => 'a', 's' => ' ', 'D' or 'S' or 'W' => '-', var other => other });
            else if (character == '[' && pattern.IndexOf(']', index + 1) is var close and > 0)
            {
                text.Append(FirstOf(pattern[(index + 1)..close]));
                index = close;
            }
            else if (character is '*' or '+' or '?')
            {
                if (text.Length > 0 && character != '+' && repeat == 0) text.Length--;
                else if (text.Length > 0 && character != '?') text.Append(text[^1], Math.Max(repeat - 1, 0));
            }
            else if (character == '{' && pattern.IndexOf('}', index) is var closed and > 0)
            {
                if (text.Length > 0 && int.TryParse(pattern[(index + 1)..closed].Split(',')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
                    && count is > 1 and < LongestText)
                    text.Append(text[^1], count - 1);
                index = closed;
            }
            else if (character == '.') text.Append('a');
            else if (character is not ('^' or '$' or '(' or ')')) text.Append(character);
        }

        return text.ToString();
    }

    private static char FirstOf(string characters) =>
        characters.StartsWith('^') ? '~'
        : characters.StartsWith("\\d", StringComparison.Ordinal) ? '1'
        : characters.StartsWith("\\w", StringComparison.Ordinal) ? 'a'
        : characters.TrimStart('\\') is [var first, ..] ? first : 'a';

    [GeneratedRegex("-?[0-9]{1,18}")]
    private static partial Regex Number();
}
