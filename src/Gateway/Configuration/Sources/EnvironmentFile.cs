using Gateway.Configuration.Snapshots;
using IotCredentials.Failures;

namespace Gateway.Configuration.Sources;

/// <summary>The optional file for one environment, <c>appsettings.{Environment}.json</c>.</summary>
internal static class EnvironmentFile
{
    private const string Prefix = "appsettings.";
    private const string Suffix = ".json";
    private const string Variables = "ASPNETCORE_ENVIRONMENT or DOTNET_ENVIRONMENT";

    // The framework's own environment names are often set without a file of their own.
    private static readonly string[] s_common = [Environments.Production, Environments.Development, Environments.Staging];

    /// <summary>The file's name.</summary>
    public static string NameOf(string environment) => $"{Prefix}{environment}{Suffix}";

    /// <summary>
    /// Warns if the file is absent and the environment's name is close to that of another file, or is not one of the framework's names.
    /// </summary>
    public static void WarnOfAbsence(ConfigurationInput input, FindingList findings)
    {
        var name = input.EnvironmentName;
        var others = FilesIn(input.Folder).Select(file => Path.GetFileName(file)[Prefix.Length..])
            .Where(file => file.Length > Suffix.Length).Select(file => file[..^Suffix.Length])
            .Where(other => other != "schema").Order(StringComparer.Ordinal).ToArray();
        var near = others.FirstOrDefault(other => IsShort(name, other) || IsShort(other, name)) ?? NearestName.Of(name, others);
        if (near is null && s_common.Contains(name, StringComparer.Ordinal)) return;
        findings.Warning("", NameOf(name),
            $"is not there: the environment is {Finding.Quote(name)}, from {Variables}, and {Snapshot.MainFile} alone is read. "
            + (near is not null ? $"Did you mean {Finding.Quote(near)}, for {NameOf(near)}?"
                : others.Length > 0 ? $"Files for environments in the folder: {string.Join(", ", others.Select(NameOf))}."
                : "Write the file, or leave the variable out."));
    }

    private static string[] FilesIn(string folder)
    {
        try
        {
            return Directory.GetFiles(folder, $"{Prefix}*{Suffix}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A folder can be readable without being listable.
            return [];
        }
    }

    private static bool IsShort(string one, string other) => one.Length >= 3 && other.StartsWith(one, StringComparison.OrdinalIgnoreCase);
}
