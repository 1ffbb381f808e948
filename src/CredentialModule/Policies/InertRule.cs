namespace IotCredentials.Policies;

/// <summary>
/// The rule for actions and resources of a statement that do not match: they allow or deny nothing, and their author believes otherwise. In a Deny statement
/// that is a warning, because isolation does not depend on it.
/// </summary>
internal static class InertRule
{
    /// <summary>Reports actions without a resource of their type, and resources without an action.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="actions">Its actions, as far as they are known.</param>
    /// <param name="findings">Receives the findings.</param>
    public static void Find(PolicyStatement statement, List<IotAction> actions, List<Finding> findings)
    {
        var types = statement.Resources.ConvertAll(resource => IotArn.TypeOf(resource.Text.Source));
        if (!statement.IsWhole || actions.Count < statement.Actions.Count || types.Contains(null))
            return;
        for (var i = 0; i < types.Count; i++)
        {
            var resource = statement.Resources[i];
            if (actions.TrueForAll(action => action.Type != types[i]))
                Report($"{statement.Where(resource)} `{resource.Text}` is used by no action of its statement.");
        }

        for (var i = 0; i < actions.Count; i++)
        {
            if (!types.Contains(actions[i].Type))
            {
                Report($"{statement.Where(statement.Actions[i])} {statement.Verb} `{actions[i].Name}` on nothing: "
                    + $"it needs a resource `{actions[i].Type.Spell()}/…` in its statement.");
            }
        }

        void Report(string message) => findings.Add(
            Finding.Of(FindingCode.Inert, message) with { Severity = statement.Allows ? Severity.Error : Severity.Warning });
    }
}
