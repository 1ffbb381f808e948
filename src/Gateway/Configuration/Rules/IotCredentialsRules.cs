using IotCredentials.Profiles;
using Gateway.Configuration.Snapshots;

namespace Gateway.Configuration.Rules;

/// <summary>Checks the section <c>IotCredentials</c> with the module's own rules.</summary>
internal static class IotCredentialsRules
{
    private const string Section = "IotCredentials";

    /// <summary>Returns the profiles, or null when there is an error in the section.</summary>
    public static ProfileSet? Read(RuleContext context)
    {
        var gate = new SnapshotConfigurationProvider(context.Snapshot);
        var section = new ConfigurationBuilder().Add(gate).Build().GetSection(Section);
        var book = ProfileSet.Read(section, gate.Files, out var problems);
        foreach (var problem in problems)
        {
            var key = $"{Section}:{problem.Key}";
            if (problem.IsWarning) context.Warning(key, problem.Message);
            else context.Error(key, problem.Message);
        }

        return book;
    }
}
