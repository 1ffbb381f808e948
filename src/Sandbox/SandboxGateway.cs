using System.Collections;
using Gateway;
using Gateway.Configuration;

namespace Sandbox;

/// <summary>The gateway as operators run it, over the configuration that ships with it.</summary>
internal static class SandboxGateway
{
    private const string EnvironmentName = "Sandbox";

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

    /// <summary>Reads the shipped folder, with what only a running sandbox knows on the command line.</summary>
    public static LoadResult Load(IEnumerable<string> keys) => ConfigurationFolder.Load(
        [
            "--config", Path.Combine(AppContext.BaseDirectory, "appsettings"),
            .. keys,
            // The first vend on a busy machine compiles what every other finds compiled.
            "IotCredentials:Timeout=00:00:30",
            "Logging:LogLevel:Default=Warning",
            // Both log a start that failed, stack trace and all; the sandbox says why in a line.
            "Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host=None",
            "Logging:LogLevel:ZiggyCreatures.Caching.Fusion.FusionCache=None",
        ],
        EnvironmentName,
        new Dictionary<string, string?>());

    public static WebApplication Build(Snapshot configuration) => GatewayApplication.Build(configuration, EnvironmentName);
}
