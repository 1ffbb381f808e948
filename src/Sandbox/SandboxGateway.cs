using System.Collections;
using Gateway;
using IotCredentials;

namespace Sandbox;

/// <summary>Runs the gateway as operators do, with the configuration that ships with it.</summary>
internal static class SandboxGateway
{
    // The same environment as an operator's gateway, so that appsettings.Production.json is read here, too.
    private static readonly string s_environment = Environments.Production;

    // Variables that the runtime and the system need; none of them configures the gateway.
    private static readonly string[] s_kept = ["PATH", "HOME", "TERM", "TMPDIR", "TMP", "TEMP", "SYSTEMROOT"];

    /// <summary>
    /// Removes all environment variables but these. The AWS SDK and ASP.NET Core's host read the process's environment themselves, and no setting of a
    /// developer's machine may send a request elsewhere.
    /// </summary>
    public static void ReplaceEnvironment(IEnumerable<KeyValuePair<string, string>> variables)
    {
        foreach (var name in Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(variable => (string)variable.Key))
            if (!s_kept.Contains(name, StringComparer.OrdinalIgnoreCase)) Environment.SetEnvironmentVariable(name, null);
        foreach (var (name, value) in variables) Environment.SetEnvironmentVariable(name, value);

        // The developer's own AWS profiles may name endpoints, too.
        var nowhere = Path.Combine(AppContext.BaseDirectory, "no-aws-files");
        Environment.SetEnvironmentVariable("AWS_SHARED_CREDENTIALS_FILE", nowhere);
        Environment.SetEnvironmentVariable("AWS_CONFIG_FILE", nowhere);
    }

    /// <summary>The configuration folder in the source tree, which can be edited. The copy beside the program is overwritten by the next build.</summary>
    public static string DefaultFolder() =>
        Path.Combine(Repository() ?? AppContext.BaseDirectory, "appsettings");

    /// <summary>The root of the source tree that the sandbox was built in; null when it runs elsewhere.</summary>
    public static string? Repository()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "IotCredentials.sln"))) return folder.FullName;
        return null;
    }

    /// <summary>Creates the gateway of a folder, with the values of the running sandbox on the command line; null if a finding is an error.</summary>
    public static EmbeddedGateway? Create(string folder, IEnumerable<string> keys, out IReadOnlyList<Finding> findings) => EmbeddedGateway.Create(
        [
            "--config", folder,
            .. keys,
            // On a busy machine the first vend is slow, because its code is not compiled yet.
            "IotCredentials:Timeout=00:00:30",
            "Logging:LogLevel:Default=Warning",
            // Logs one line for each change of the folder that takes effect.
            "Logging:LogLevel:Gateway.Reloading=Information",
            // Their lines would bury it.
            "AccessLog:Enabled=false",
            "AuditLog:Enabled=false",
            // It logs a failed start with its stack trace; the sandbox reports the reason in one line.
            "Logging:LogLevel:Microsoft.Extensions.Hosting.Internal.Host=None",
        ],
        s_environment,
        out findings);
}
