using CredentialModule.Profiles;

namespace Gateway.Configuration.Rules;

/// <summary>The section <c>IotCredentials</c>, by the module's own rules.</summary>
internal static class IotCredentialsRules
{
    private const string Section = "IotCredentials";

    /// <summary>The profiles; null when something said of them is an error.</summary>
    public static ProfileBook? Read(RuleContext context)
    {
        var gate = new GatedConfigurationProvider(context.Snapshot);
        var section = new ConfigurationBuilder().Add(gate).Build().GetSection(Section);
        var book = ProfileBook.Read(section, gate.Files, out var problems);
        foreach (var problem in problems)
        {
            var key = $"{Section}:{problem.Key}";
            if (problem.IsWarning) context.Warning(key, problem.Message);
            else context.Error(key, problem.Message);
        }

        return book;
    }
}
