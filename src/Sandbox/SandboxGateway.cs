using System.Collections;
using Gateway;
using Gateway.Configuration;

namespace Sandbox;

/// <summary>The gateway as operators run it, over the configuration that ships with it.</summary>
internal static class SandboxGateway
{
    // As an operator's gateway has it, so that appsettings.Production.json is read here as there.
    private static readonly string s_environment = Environments.Production;

    // What the runtime and the system need; none of it configures the gateway.
    private static readonly string[] s_kept = ["PATH", "HOME", "TERM", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT"];

    /// <summary>
    /// Leaves the process no variables but these. The AWS SDK and ASP.NET Core's host read the process's environment themselves, and
    /// nothing that is set on a developer's machine may send a request somewhere else.
    /// </summary>
    public static void ReplaceEnvironment(IReadOnlyDictionary<string, string> variables)
    {
        foreach (var name in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => (string)variable.Key))
            if (!s_kept.Contains(name, StringComparer.OrdinalIgnoreCase)) Environment.SetEnvironmentVariable(name, null);
        foreach (var (name, value) in variables) Environment.SetEnvironmentVariable(name, value);

        // Profiles of the developer's own, which may name endpoints too.
        var nowhere = Path.Combine(AppContext.BaseDirectory, "no-aws-files");
        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", nowhere);
        Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", nowhere);
    }

    /// <summary>The folder in the source tree, which can be edited; the copy beside the program is overwritten by the next build.</summary>
    public static string DefaultFolder() =>
        Path.Combine(Repository() ?? AppContext.BaseDirectory, "appsettings");

    /// <summary>The root of the source tree that the sandbox was built in; null when it runs elsewhere.</summary>
    public static string? Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "IotCredentials.sln"))) return folder.FullName;
        return null;
    }

    /// <summary>Reads a folder, with what only a running sandbox knows on the command line.</summary>
    public static LoadResult Load(string folder, IEnumerable<string> keys) => ConfigurationFolder.Load(
        [
            "--config", folder,
            .. keys,
            // The first vend on a busy machine compiles what every other finds compiled.
            "IotCredentials:Timeout=00:00:30",
            "Logging:LogLevel:Default=Warning",
            // One line for each change of the folder that is in force.
            "Logging:LogLevel:Gateway.Reloading=Information",
            // A line for each request would bury it.
            "Logging:LogLevel:Gateway.Access=Warning",
            // Both log a start that failed, stack trace and all; the sandbox says why in a line.
            "Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host=None",
            "Logging:LogLevel:ZiggyCreatures.Caching.Fusion.FusionCache=None",
        ],
        s_environment,
        new Dictionary<string, string?>());

    public static WebApplication Build(Snapshot configuration) => GatewayApplication.Build(configuration, s_environment);
}
