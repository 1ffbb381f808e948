namespace Gateway.Configuration.Rules.Identity;

/// <summary>Checks organization ids in the gateway's own sections.</summary>
internal static class OrganizationIdRules
{
    /// <summary>Reports an error for each item that is not an organization id, because it would never match.</summary>
    public static void CheckOnly(RuleContext context, string key, IReadOnlyList<string>? only)
    {
        // If the format itself is invalid, the module reports it.
        if (context.OrganizationIds is not { } ids) return;
        for (var index = 0; index < only?.Count; index++)
        {
            if (!ids.TryParse(only[index], out _))
                context.Error($"{key}:{index}",
                    $"is {Finding.Quote(only[index])}, which is not an organization id: it does not have the form that IotCredentials:OrganizationId sets.");
        }
    }
}
