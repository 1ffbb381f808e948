namespace IotCredentials.Policies;

/// <summary>
/// The rules for Allow statements: known actions, on resources that are the organization's or shared, each action with a resource of its type and each resource
/// with an action.
/// </summary>
internal sealed class AllowRules(OrganizationIdFormat ids, SharedTopics shared, List<Finding> findings)
{
    /// <summary>Checks the Allow statements and returns the resources that are valid by themselves, in their order.</summary>
    public IReadOnlyList<IotResource> Check(IReadOnlyList<PolicyStatement> statements)
    {
        var reader = new IotResourceReader(ids, shared, findings);
        var good = new List<IotResource>();
        foreach (var statement in statements.Where(static statement => statement.Allows))
        {
            var actions = ReadActions(statement);
            foreach (var resource in statement.Resources)
            {
                if (reader.Read(statement.Where(resource), resource.Text, actions) is { } read)
                    good.Add(read);
            }

            InertRule.Find(statement, actions, findings);
        }

        return good;
    }

    private List<IotAction> ReadActions(PolicyStatement statement)
    {
        var actions = new List<IotAction>();
        foreach (var node in statement.Actions)
        {
            if (IotAction.Find(node.Text.Source) is { } action)
                actions.Add(action);
            else
                findings.Add(Finding.Of(FindingCode.Action,
                    $"{statement.Where(node)} allows `{node.Text.Source}`; "
                    + $"a session may have only actions on one client, topic or thing: {Known()}, each written out."));
        }

        return actions;
    }

    private static string Known() => string.Join(" ", IotAction.All.Select(action => action.Name));
}
