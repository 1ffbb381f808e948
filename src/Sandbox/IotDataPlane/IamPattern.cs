using System.Text;

namespace Sandbox.IotDataPlane;

/// <summary>A text of a policy with <c>*</c> (any text), <c>?</c> (any character) and policy variables, whose values are literal.</summary>
internal sealed class IamPattern(string text, bool hasVariables, bool ignoreCase = false, bool hasWildcards = true)
{
    // Stand for the wildcards once variables are replaced. No policy can hold them: STS takes no character beyond U+00FF.
    private const char AnyText = '\uE000';
    private const char AnyCharacter = '\uE001';

    private readonly bool _isConstant = !hasVariables || !text.Contains("${", StringComparison.Ordinal);
    private string? _resolved;

    /// <summary>Whether the pattern matches a text as a whole; null if it holds a variable without a known value.</summary>
    public bool? Matches(string value, IamContext context)
    {
        var pattern = _isConstant ? _resolved ??= Resolve(context) : Resolve(context);
        return pattern is null ? null : Matches(pattern, value, ignoreCase);
    }

    /// <summary>Whether one of the patterns matches; null if none is known to and one is unknown.</summary>
    public static bool? AnyMatches(IEnumerable<IamPattern> patterns, string value, IamContext context)
    {
        bool? any = false;
        foreach (var pattern in patterns)
        {
            if (pattern.Matches(value, context) is not { } matches) any = null;
            else if (matches) return true;
        }

        return any;
    }

    private string? Resolve(IamContext context)
    {
        var resolved = new StringBuilder();
        for (var index = 0; index < text.Length; index++)
        {
            if (!_isConstant && text.AsSpan(index).StartsWith("${") && text.IndexOf('}', index) is var end and > 0)
            {
                if (context.Variable(text[(index + 2)..end]) is not { } value) return null;
                resolved.Append(value);
                index = end;
                continue;
            }

            resolved.Append(hasWildcards ? text[index] switch { '*' => AnyText, '?' => AnyCharacter, var other => other } : text[index]);
        }

        return resolved.ToString();
    }

    // Goes back to the last `*` on a mismatch, so the time is at most the product of both lengths.
    private static bool Matches(string pattern, string value, bool ignoreCase)
    {
        var (at, star, retry) = (0, -1, 0);
        for (var index = 0; index < value.Length;)
        {
            if (at < pattern.Length && pattern[at] == AnyText)
            {
                (star, retry) = (at++, index);
            }
            else if (at < pattern.Length && (pattern[at] == AnyCharacter || AreEqual(pattern[at], value[index], ignoreCase)))
            {
                at++;
                index++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                index = ++retry;
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(at).Trim(AnyText).IsEmpty;
    }

    private static bool AreEqual(char one, char other, bool ignoreCase) =>
        one == other || (ignoreCase && char.ToLowerInvariant(one) == char.ToLowerInvariant(other));
}
