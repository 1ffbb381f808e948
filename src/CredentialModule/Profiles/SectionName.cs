using Microsoft.Extensions.Configuration;

namespace IotCredentials.Profiles;

/// <summary>The name of the section that the host passed. Problems are written for the name <see cref="Documented"/>.</summary>
internal sealed class SectionName(IConfiguration? section)
{
    /// <summary>The section's name in the documentation, and of the gateway's own.</summary>
    public const string Documented = "IotCredentials";

    private readonly string _path = section is IConfigurationSection { Path: var path } ? path : Documented;

    /// <summary>Puts the section's own name into the keys of a problem.</summary>
    public string In(string problem) => problem.Replace($"{Documented}:", $"{_path}:", StringComparison.Ordinal);

    /// <summary>Why there is no profile: a problem of the section as a whole; null if there is none.</summary>
    public string? Absence() =>
        section is null ? $"AddIotCredentials was given no section: pass builder.Configuration.GetSection(\"{Documented}\")."
        : section is IConfigurationSection named && !named.Exists() ? $"The section {_path}, which AddIotCredentials was given, is not in the configuration."
        : null;
}
