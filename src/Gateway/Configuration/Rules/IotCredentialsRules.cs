using Gateway.Configuration.Snapshots;
using IotCredentials.Profiles;

namespace Gateway.Configuration.Rules;

/// <summary>Checks the section <c>IotCredentials</c> with the module's own rules.</summary>
internal static class IotCredentialsRules
{
    /// <summary>Returns the profiles, or null when there is an error in the section.</summary>
    public static ProfileSet? Read(RuleContext context)
    {
        var files = new SnapshotConfigurationProvider(context.Snapshot).Files;
        var profiles = ProfileSet.Create(context.Options.IotCredentials, files, out var findings);
        foreach (var finding in findings)
        {
            if (finding.Severity != Severity.Warning) context.Error(finding.Key, finding.Message);
            // The gateway's own rules may know that it is an error.
            else if (!context.HasErrorAt(finding.Key)) context.Warning(finding.Key, finding.Message);
        }

        return profiles;
    }
}
