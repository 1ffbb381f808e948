using IotCredentials.Failures;

namespace IotCredentials.Policies;

/// <summary>
/// The condition operators of IAM, as the page "Condition operators" of its user guide lists them. STS refuses a policy with another one, for every
/// organization. The page does not say whether their case counts, so it does not count here.
/// </summary>
internal static class ConditionOperator
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
    public static string? ProblemOf(string name) => s_spellings.Contains(name)
        ? null
        : "is no condition operator. " + (NearestName.Of(name, s_spellings) is { } near
            ? $"Did you mean \"{near}\"?"
            : $"IAM has {string.Join(", ", s_names)}; ForAllValues: or ForAnyValue: stands before a name, IfExists behind any but Null.");
}
