using System.Text.Json;
using System.Text.Json.Nodes;

namespace IotCredentials.Policies;

/// <summary>What the sessions of a session policy can reach. Two policies that are only written differently reach the same.</summary>
/// <param name="Grants">Each action on each resource that an Allow statement names.</param>
/// <param name="Denials">The Deny statements, each in one spelling.</param>
internal sealed record SessionPolicyReach(IReadOnlyList<SessionPolicyGrant> Grants, IReadOnlyList<string> Denials)
{
    /// <summary>Reads a policy as it was rendered.</summary>
    public static SessionPolicyReach Of(string policy)
    {
        var (grants, denials) = (new List<SessionPolicyGrant>(), new List<string>());
        foreach (var statement in ItemsOf(JsonNode.Parse(policy)!["Statement"]).OfType<JsonObject>())
        {
            if ((string?)statement["Effect"] != "Allow") denials.Add(Canonical(statement));
            else
                grants.AddRange(
                    from action in ItemsOf(statement["Action"])
                    from resource in ItemsOf(statement["Resource"])
                    select new SessionPolicyGrant(
                        (string)action!, (string)resource!, statement["Condition"] is { } condition ? Canonical(condition) : null));
        }

        return new([.. grants.Distinct()], [.. denials.Distinct()]);
    }

    /// <summary>Whether every session that has this grant under the other policy has it under this one.</summary>
    public bool Covers(SessionPolicyGrant grant) => Grants.Any(own => own.Covers(grant));

    /// <summary>All of it in one text, the same for policies that reach the same in the same statements.</summary>
    public string ToText() => string.Join('\n',
        Grants.Select(static grant => $"{grant.Action.ToLowerInvariant()} {grant.Resource} {grant.Condition}").Concat(Denials).Order(StringComparer.Ordinal));

    private static JsonArray ItemsOf(JsonNode? node) => node as JsonArray ?? (node is null ? [] : [node.DeepClone()]);

    // One spelling: members in order, lists in order, a single value as a list. A statement's Sid only names it.
    private static string Canonical(JsonNode? node) => node switch
    {
        JsonObject members => "{" + string.Join(',', members.Where(static member => member.Key is not "Sid")
            .OrderBy(static member => member.Key, StringComparer.Ordinal)
            .Select(static member => $"{JsonSerializer.Serialize(member.Key)}:{Canonical(member.Value)}")) + "}",
        JsonArray list => $"[{string.Join(',', list.Select(Scalar).Order(StringComparer.Ordinal))}]",
        _ => $"[{Scalar(node)}]",
    };

    private static string Scalar(JsonNode? node) => node?.ToJsonString() ?? "null";
}

/// <summary>One action on one resource.</summary>
/// <param name="Action">The action.</param>
/// <param name="Resource">The resource's ARN.</param>
/// <param name="Condition">The condition, in one spelling; null if there is none.</param>
internal sealed record SessionPolicyGrant(string Action, string Resource, string? Condition)
{
    /// <summary>The ARN's part before the type: region and account.</summary>
    public string Place => string.Join(':', Resource.Split(':', 6).Take(5));

    /// <summary>Whether this grant includes all of the other. If it is unknown, false.</summary>
    public bool Covers(SessionPolicyGrant other) =>
        Action.Equals(other.Action, StringComparison.OrdinalIgnoreCase)
        && (Condition is null || Condition == other.Condition)
        && Covers(Resource, other.Resource);

    /// <summary>The grant in words, with an example.</summary>
    /// <param name="organization">The organization of the example.</param>
    public string Describe(string organization)
    {
        var name = Resource.Split(':', 6)[^1];
        var (type, text) = name.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash ? (name[..slash], name[(slash + 1)..]) : ("", name);
        var phrase = IotAction.Find(Action)?.Phrase ?? $"use {Action} on";
        var example = text.Replace(TemplateText.OrganizationPlaceholder, organization, StringComparison.Ordinal)
            .Replace('*', 'x').Replace('?', 'x').Replace('+', 'x').Replace('#', 'x');
        return $"{phrase} {type} {text}{(example == text ? "" : $", such as {example}")}{(Condition is null ? "" : $", where {Condition}")}";
    }

    // IAM's wildcards. A wildcard of the covered pattern is only covered by one of the covering pattern.
    private static bool Covers(string pattern, string text)
    {
        var (at, position, star, retry) = (0, 0, -1, 0);
        while (position < text.Length)
        {
            if (at < pattern.Length && pattern[at] == '*') (star, retry, at) = (at, position, at + 1);
            else if (at < pattern.Length && (pattern[at] == '?' ? text[position] != '*' : pattern[at] == text[position]))
                (at, position) = (at + 1, position + 1);
            else if (star >= 0) (at, position) = (star + 1, ++retry);
            else return false;
        }

        return pattern.AsSpan(at).IndexOfAnyExcept('*') < 0;
    }
}
