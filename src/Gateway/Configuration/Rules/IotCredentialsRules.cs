using Gateway.Configuration.Snapshots;
using IotCredentials.Profiles;

namespace Gateway.Configuration.Rules;

/// <summary>Checks the section <c>IotCredentials</c> with the module's own rules.</summary>
internal static class IotCredentialsRules
{
    private const string SessionDuration = $":{nameof(ProfileOptions.SessionDuration)}";
    private const string Chained =
        "is over an hour, and the session of an Azure identity is a role's, which opens sessions of an hour at most (role chaining). Write 01:00:00.";

    /// <summary>Returns the profiles, or null when there is an error in the section.</summary>
    public static ProfileSet? Read(RuleContext context)
    {
        var files = new SnapshotConfigurationProvider(context.Snapshot).Files;
        var profiles = ProfileSet.Create(context.Options.IotCredentials, files, out var findings);
        // The module warns of a session of over an hour, because it does not know whose session opens it.
        var isChained = context.Options.IotCredentials.AwsIdentity is { Source: AwsIdentitySource.Azure };
        foreach (var finding in findings)
        {
            if (finding.Severity == Severity.Error) context.Error(finding.Key, finding.Message);
            else if (isChained && finding.Key.EndsWith(SessionDuration, StringComparison.Ordinal)) context.Error(finding.Key, Chained);
            else context.Warning(finding.Key, finding.Message);
        }

        return profiles;
    }
}
