namespace IotCredentials.Policies;

/// <summary>
/// The rules for Allow statements: known actions, on resources that are the organization's or shared, each action with a resource of its type and each resource
/// with an action.
/// </summary>
internal sealed class AllowRules(OrganizationIdFormat ids, SharedTopics shared, List<Finding> findings)
{
    /// <summary>Checks the statements and returns the resources that are valid by themselves, in their order.</summary>
    public IReadOnlyList<IotResource> Check(IReadOnlyList<AllowStatement> statements)
    {
        var reader = new IotResourceReader(ids, shared, findings);
        var good = new List<IotResource>();
        foreach (var statement in statements)
        {
            var actions = ReadActions(statement);
            foreach (var resource in statement.Resources)
            {
                if (reader.Read(statement.Where(resource), resource.Text, actions) is { } read)
                    good.Add(read);
            }

            FindInert(statement, actions);
        }

        return good;
    }

    private List<IotAction> ReadActions(AllowStatement statement)
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

    /// <summary>Reports actions and resources of a statement that do not match: they allow nothing, and their author believes otherwise.</summary>
    private void FindInert(AllowStatement statement, List<IotAction> actions)
    {
        var types = statement.Resources.ConvertAll(resource => IotArn.TypeOf(resource.Text.Source));
        if (!statement.IsWhole || actions.Count < statement.Actions.Count || types.Contains(null))
            return;
        for (var i = 0; i < types.Count; i++)
        {
            if (actions.TrueForAll(action => action.Type != types[i]))
            {
                var resource = statement.Resources[i];
                findings.Add(Finding.Of(FindingCode.Inert,
                    $"{statement.Where(resource)} `{resource.Text}` is used by no action of its statement."));
            }
        }

        for (var i = 0; i < actions.Count; i++)
        {
            if (!types.Contains(actions[i].Type))
                findings.Add(Finding.Of(FindingCode.Inert,
                    $"{statement.Where(statement.Actions[i])} allows `{actions[i].Name}` on nothing: "
                    + $"it needs a resource `{actions[i].Type.Spell()}/…` in its statement."));
        }
    }

    private static string Known() => string.Join(" ", IotAction.All.Select(action => action.Name));
}
