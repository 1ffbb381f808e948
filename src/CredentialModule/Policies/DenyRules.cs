using IotCredentials.Failures;

namespace IotCredentials.Policies;

/// <summary>
/// The rules for Deny statements, which narrow a session and cannot break isolation: each finding is a warning that a statement denies less than its author
/// believes. A statement with wildcards for its actions or in the fixed parts of its ARNs is not judged.
/// </summary>
internal sealed class DenyRules(List<Finding> findings)
{
    private static readonly string[] s_actions = [.. IotAction.All.Select(static action => action.Name)];

    /// <summary>Checks the Deny statements.</summary>
    public void Check(IEnumerable<PolicyStatement> statements)
    {
        foreach (var statement in statements.Where(static statement => !statement.Allows))
        {
            var actions = statement.Actions.Select(static node => IotAction.Find(node.Text.Source)).OfType<IotAction>().ToList();
            FindMisspelt(statement);
            if (actions.Count < statement.Actions.Count || !statement.IsWhole || !statement.Resources.TrueForAll(IsJudged)) continue;
            foreach (var resource in statement.Resources) Check(statement, resource);
            InertRule.Find(statement, actions, findings);
        }
    }

    private void FindMisspelt(PolicyStatement statement)
    {
        foreach (var node in statement.Actions)
        {
            var name = node.Text.Source;
            if (IotAction.Find(name) is null && IotResource.IsLiteral(name) && NearestName.OfOneSlip(name, s_actions) is { } near)
                Warn(FindingCode.Inert, $"{statement.Where(node)} denies `{name}`, which no session may do. Did you mean \"{near}\"?");
        }
    }

    private void Check(PolicyStatement statement, PolicyString resource)
    {
        var where = $"{statement.Where(resource)} `{resource.Text}`";
        switch (IotArn.TypeOf(resource.Text.Source))
        {
            case null:
                Warn(FindingCode.Inert, $"{where} denies nothing: no action of its statement is about it. "
                    + "Write client/…, topic/…, topicfilter/… or thing/…, in lower case.");
                break;
            case IotResourceType.Topic when resource.Text.Source.AsSpan().IndexOfAny('+', '#') >= 0:
                Warn(FindingCode.FilterGrammar, $"{where} denies nothing: IAM takes `+` and `#` for themselves, and no topic holds them. Write `*`.");
                break;
        }
    }

    private static bool IsJudged(PolicyString resource) =>
        resource.Text.Source.Split(':', 6) is [_, _, "iot", _, _, var name] && name.Split('/')[0].AsSpan().IndexOfAny(IotResource.Wildcards) < 0;

    private void Warn(string code, string message) => findings.Add(Finding.Of(code, message) with { Severity = Severity.Warning });
}
