using IotCredentials.Failures;

namespace IotCredentials.Policies;

/// <summary>A statement, as far as it could be read.</summary>
/// <param name="Sid">The statement's own name, if it has one.</param>
/// <param name="Allows">Whether it allows; else it denies.</param>
/// <param name="Actions">The actions that it is about.</param>
/// <param name="Resources">The resources that it is about.</param>
/// <param name="OtherResources">The resources that it is not about (<c>NotResource</c>).</param>
/// <param name="IsWhole">Whether every action and resource could be read, so that missing ones can be reported.</param>
internal sealed record PolicyStatement(
    string? Sid, bool Allows, List<PolicyString> Actions, List<PolicyString> Resources, List<PolicyString> OtherResources, bool IsWhole)
{
    /// <summary>What the statement does with its actions, in a finding.</summary>
    public string Verb => Allows ? "allows" : "denies";

    public string Where(PolicyNode node) => Sid is null ? node.Path : $"{node.Path} (Sid {Sid})";
}

/// <summary>The members of a policy, and the values that each may hold. Names and values are compared with case, as IAM's grammar is written.</summary>
internal sealed class PolicyDocument(List<Finding> findings)
{
    private static readonly string[] s_documentMembers = ["Version", "Id", "Statement"];
    private static readonly string[] s_statementMembers = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

    private readonly Dictionary<string, string> _sids = new(StringComparer.Ordinal);

    /// <summary>Checks the document and returns its statements.</summary>
    public IReadOnlyList<PolicyStatement> Read(PolicyNode root)
    {
        if (root is not PolicyObject document)
        {
            Report(root, FindingCode.MemberType, "A policy is an object with the members Version and Statement.");
            return [];
        }

        RefuseOthers(document, s_documentMembers);
        if (document["Version"] is not PolicyString { Text.Source: "2012-10-17" })
            Report(document["Version"] ?? document, FindingCode.Version, "Version must be `2012-10-17`: the one before has other rules.");
        if (document["Id"] is { } id and not PolicyString)
            Report(id, FindingCode.MemberType, "Id is a string.");

        // IAM accepts a single statement without brackets.
        IReadOnlyList<PolicyNode> statements = document["Statement"] switch
        {
            PolicyArray array => array.Items,
            null => [],
            var single => [single],
        };
        var read = statements.Select(ReadStatement).OfType<PolicyStatement>().ToList();
        if (!read.Exists(static statement => statement.Allows) && !statements.Any(statement => EffectOf(statement) is not "Deny"))
            Report(document, FindingCode.NothingAllowed,
                "No statement has the Effect `Allow`: a session under this policy could do nothing.");
        return read;
    }

    private static string? EffectOf(PolicyNode statement) => ((statement as PolicyObject)?["Effect"] as PolicyString)?.Text.Source;

    private PolicyStatement? ReadStatement(PolicyNode node)
    {
        if (node is not PolicyObject statement)
        {
            Report(node, FindingCode.MemberType, $"{node.Path} is a statement, which is an object.");
            return null;
        }

        RefuseOthers(statement, s_statementMembers);
        var sid = ReadSid(statement);
        if (statement["Condition"] is { } condition)
            CheckCondition(condition);
        var actions = ReadList(statement, "Action", out var actionsRead);
        var resources = ReadList(statement, "Resource", out var resourcesRead);
        var otherActions = ReadList(statement, "NotAction", out _);
        var otherResources = ReadList(statement, "NotResource", out _);
        var effect = EffectOf(statement);
        // An Allow statement is held to stricter rules.
        if (effect == "Deny")
        {
            CheckGrammar(actions.Concat(otherActions), FindingCode.Action, StatementGrammar.ProblemOfAction);
            CheckGrammar(resources.Concat(otherResources), FindingCode.ArnShape, StatementGrammar.ProblemOfResource);
        }

        RequireOne(statement, "Action", "NotAction", effect);
        RequireOne(statement, "Resource", "NotResource", effect);
        if (effect is not ("Allow" or "Deny"))
            Report(statement["Effect"] ?? statement, FindingCode.Effect,
                $"{statement.Path} needs an Effect that is `Allow` or `Deny`, spelt so.");
        return effect is "Allow" or "Deny"
            ? new PolicyStatement(sid, effect == "Allow", actions, resources, otherResources, actionsRead && resourcesRead)
            : null;
    }

    private string? ReadSid(PolicyObject statement)
    {
        switch (statement["Sid"])
        {
            case null:
                return null;
            case PolicyString { Text: { Names: Placeholders.None, Source: var sid } } node when sid.All(char.IsAsciiLetterOrDigit):
                if (sid.Length > 0 && !_sids.TryAdd(sid, statement.Path))
                    Report(node, FindingCode.Sid, $"{node.Path} `{sid}` is also that of {_sids[sid]}; give each statement another, or leave Sid out.");
                return sid;
            case var other:
                // IAM refuses any other Sid, but only when the first session is requested.
                Report(other, FindingCode.Sid, $"{other.Path} may hold only A-Z a-z 0-9 (IAM's grammar of Sid).");
                return null;
        }
    }

    private void RequireOne(PolicyObject statement, string name, string notName, string? effect)
    {
        var (plain, exclusion) = (statement[name], statement[notName]);
        // In an Allow statement, an exclusion also allows the resources of every other organization.
        if (effect == "Allow" && exclusion is not null)
            Report(exclusion, FindingCode.NotInAllow,
                $"{exclusion.Path} allows everything that it does not name; write {name} and name what is allowed.");
        else if (plain is not null && exclusion is not null)
            Report(statement, FindingCode.ConflictingMembers, $"{statement.Path} has both {name} and {notName}; write one of them.");
        else if (plain is null && exclusion is null)
            Report(statement, FindingCode.MissingMember, $"{statement.Path} has no {name}.");
    }

    private List<PolicyString> ReadList(PolicyObject statement, string name, out bool whole)
    {
        var node = statement[name];
        if (node is PolicyArray { Items.Count: 0 })
            Report(node, FindingCode.EmptyList, $"{node.Path} is empty; name at least one, or remove the statement.");
        IReadOnlyList<PolicyNode> items = node switch
        {
            PolicyArray array => array.Items,
            null => [],
            var single => [single],
        };
        var texts = items.OfType<PolicyString>().ToList();
        foreach (var item in items.Except(texts))
            Report(item, FindingCode.MemberType, $"{item.Path} must be a string.");
        whole = texts.Count > 0 && texts.Count == items.Count;
        return texts;
    }

    private void CheckGrammar(IEnumerable<PolicyString> nodes, string code, Func<string, string?> problemOf)
    {
        foreach (var node in nodes)
        {
            if (problemOf(node.Text.Source) is { } problem)
                Report(node, code, $"{node.Path} `{node.Text}` {problem}");
        }
    }

    private void CheckCondition(PolicyNode node)
    {
        if (node is not PolicyObject condition)
        {
            Report(node, FindingCode.MemberType, $"{node.Path} is an object of operators.");
            return;
        }

        foreach (var (name, operand) in condition.Members)
        {
            if (ConditionOperator.ProblemOf(name) is { } problem) Report(operand, FindingCode.Condition, $"{operand.Path} {problem}");
            else if (ConditionOperator.WarningOf(name) is { } warning)
                findings.Add(Finding.Of(FindingCode.Condition, $"{operand.Path} {warning}") with { Severity = Severity.Warning });
            if (operand is not PolicyObject keys)
            {
                Report(operand, FindingCode.MemberType, $"{operand.Path} is an object of condition keys.");
                continue;
            }

            foreach (var (_, value) in keys.Members)
            {
                IReadOnlyList<PolicyNode> values = value is PolicyArray array ? array.Items : [value];
                foreach (var item in values)
                {
                    if (item is not (PolicyString or PolicyBoolean or PolicyNumber))
                        Report(item, FindingCode.MemberType, $"{item.Path} must be a string, a number or a boolean.");
                    else if (ConditionOperator.ProblemOfValue(name, item) is { } wrong)
                        Report(item, FindingCode.Condition, $"{item.Path} {wrong}");
                }
            }
        }
    }

    private void RefuseOthers(PolicyObject node, string[] known)
    {
        foreach (var (name, value) in node.Members.Where(member => !known.Contains(member.Key, StringComparer.Ordinal)))
        {
            var near = known.FirstOrDefault(candidate => string.Equals(candidate, name, StringComparison.OrdinalIgnoreCase));
            var advice = near is null ? NearestName.Advice(name, known) : $"Write \"{near}\": case counts.";
            findings.Add(Finding.Of(FindingCode.UnknownMember, $"{value.Path} is no member of a session policy. {advice}"));
        }
    }

    private void Report(PolicyNode node, string code, string message)
    {
        if (node is not PolicyInvalid)
            findings.Add(Finding.Of(code, message));
    }
}
