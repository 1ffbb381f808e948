using CredentialModule;

namespace Gateway.Configuration.Rules;

/// <summary>Organization ids where the gateway's own sections name them.</summary>
internal static class OrganizationIdRules
{
    /// <summary>Refuses entries of a list that are no ids; they would never match.</summary>
    public static void CheckOnly(RuleContext context, string key, IReadOnlyList<string>? only)
    {
        // A format that is none is the module's finding.
        if (OrganizationIdFormat.TryCreate(context.Options.IotCredentials.OrganizationId, out _) is not { } ids) return;
        for (var index = 0; index < only?.Count; index++)
        {
            if (!ids.TryParse(only[index], out _))
                context.Error($"{key}:{index}", $"is {Finding.Quote(only[index])}, no organization id: it is not of the form that IotCredentials:OrganizationId sets.");
        }
    }
}
