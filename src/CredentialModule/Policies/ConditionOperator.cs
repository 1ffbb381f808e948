using System.Text.RegularExpressions;
using IotCredentials.Failures;

namespace IotCredentials.Policies;

/// <summary>
/// The condition operators of IAM, as the page "Condition operators" of its user guide lists them. STS refuses a policy with another one, for every
/// organization. The page does not say whether their case counts, so another case is a warning.
/// </summary>
internal static partial class ConditionOperator
{
    private static readonly string[] s_names =
    [
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike",
        "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals",
        "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals",
        "Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike", "Null",
    ];

    private static readonly HashSet<string> s_spellings = new(
        from set in (string[])["", "ForAllValues:", "ForAnyValue:"]
        from name in s_names
        from ending in (string[])(name == "Null" ? [""] : ["", "IfExists"])
        select set + name + ending,
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The problem with an operator, as the end of a sentence about its place; null if there is none.</summary>
    public static string? ProblemOf(string name)
    {
        if (s_spellings.Contains(name)) return null;
        if (name.EndsWith("NullIfExists", StringComparison.OrdinalIgnoreCase))
            return "is no condition operator: Null, which asks whether a key exists, has no IfExists.";
        return "is no condition operator. " + (NearestName.Of(name, s_spellings) is { } near
            ? $"Did you mean \"{near}\"?"
            : $"IAM has {string.Join(", ", s_names)}; ForAllValues: or ForAnyValue: stands before a name, IfExists behind any but Null.");
    }

    /// <summary>A doubt about an operator's spelling, as the end of a sentence about its place; null if there is none.</summary>
    public static string? WarningOf(string name) => s_spellings.TryGetValue(name, out var spelling) && spelling != name
        ? $"is spelt `{spelling}` by IAM: it may refuse the policy, and every session with it."
        : null;

    /// <summary>
    /// The problem with a value, as the end of a sentence about its place; null if there is none. For operators other than those of dates, the page does not
    /// say that IAM refuses a value.
    /// </summary>
    public static string? ProblemOfValue(string name, PolicyNode value)
    {
        if (!name[(name.IndexOf(':', StringComparison.Ordinal) + 1)..].StartsWith("Date", StringComparison.OrdinalIgnoreCase)) return null;
        var text = value switch { PolicyString { Text: var written } => written.Source, PolicyNumber { Text: var digits } => digits, _ => "" };
        return Date().IsMatch(text) ? null : "is no date that IAM takes: write one such as 2026-01-31T00:00:00Z, or the seconds since 1970.";
    }

    // The W3C's forms of ISO 8601, which end after the year, the month, the day, the minute, the second or its fraction; and seconds since 1970.
    [GeneratedRegex(
        "^([0-9]{1,18}|[0-9]{4}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
        + @"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?)?)\z",
        RegexOptions.IgnoreCase)]
    private static partial Regex Date();
}
