using System.IO.Enumeration;
using System.Text.Json.Nodes;

namespace Deployment.Tests;

/// <summary>
/// A policy of IAM, which decides as AWS documents it: a request is denied unless a statement allows it and none denies it. It knows the elements that the
/// policies of this repository use, and refuses to judge by any other.
/// </summary>
internal sealed class IamPolicy
{
    private static readonly string[] s_known = ["Sid", "Effect", "Action", "Resource", "Principal", "Condition"];

    private readonly IReadOnlyList<JsonObject> _statements;

    public IamPolicy(JsonNode document)
    {
        if ((string?)document["Version"] != "2012-10-17") throw new NotSupportedException("The version of the policy language is not 2012-10-17.");
        _statements = [.. document["Statement"]!.AsArray().Select(static statement => statement!.AsObject())];
        var unknown = _statements.SelectMany(static statement => statement.Select(static member => member.Key)).Except(s_known).ToList();
        if (unknown.Count > 0) throw new NotSupportedException($"Statements hold {string.Join(", ", unknown)}.");
    }

    /// <summary>Every action that a statement names, as written.</summary>
    public IEnumerable<string> Actions => _statements.SelectMany(static statement => Texts(statement["Action"])).Distinct();

    /// <summary>Whether an identity's policy allows an action on a resource.</summary>
    public bool Allows(string action, string resource) => Decide(statement =>
        Texts(statement["Action"]).Any(pattern => Matches(pattern, action, ignoreCase: true))
        && Texts(statement["Resource"]).Any(pattern => Matches(pattern, resource, ignoreCase: false))
        && statement["Principal"] is null && statement["Condition"] is null);

    /// <summary>Whether a role's trust policy allows an action to a principal, written as <c>TYPE:ID</c>, whose request has the given condition keys.</summary>
    public bool Trusts(string principal, string action, IReadOnlyDictionary<string, string>? context = null) => Decide(statement =>
        Texts(statement["Action"]).Any(pattern => Matches(pattern, action, ignoreCase: true))
        && Principals(statement["Principal"]!).Contains(principal)
        && IsMet(statement["Condition"], context ?? new Dictionary<string, string>()));

    private static IEnumerable<string> Principals(JsonNode principals) => principals is JsonObject types
        ? types.SelectMany(static type => Texts(type.Value).Select(id => $"{type.Key}:{id}"))
        : throw new NotSupportedException("The principal is no object.");

    private static bool IsMet(JsonNode? condition, IReadOnlyDictionary<string, string> context) => condition is null
        || condition.AsObject().All(test => test.Value!.AsObject().All(key =>
            context.TryGetValue(key.Key, out var value) && Texts(key.Value).Any(expected => test.Key switch
            {
                "StringEquals" => expected == value,
                "ArnLike" => Matches(expected, value, ignoreCase: false),
                _ => throw new NotSupportedException($"The condition {test.Key} is not known."),
            })));

    private static IEnumerable<string> Texts(JsonNode? node) => node switch
    {
        null => [],
        JsonArray array => array.Select(static item => (string)item!),
        _ => [(string)node!],
    };

    // The framework's matcher takes a backslash as an escape, which IAM does not; no ARN here has one.
    private static bool Matches(string pattern, string text, bool ignoreCase) => FileSystemName.MatchesSimpleExpression(pattern, text, ignoreCase);

    private bool Decide(Func<JsonObject, bool> applies)
    {
        var effects = _statements.Where(applies).Select(static statement => (string)statement["Effect"]!).ToList();
        return effects.Contains("Allow") && !effects.Contains("Deny");
    }
}
