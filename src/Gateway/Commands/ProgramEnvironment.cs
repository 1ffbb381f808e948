using System.Collections;
using Gateway.Configuration.Loading;
using Gateway.Configuration.Snapshots;

namespace Gateway.Commands;

/// <summary>The program's input besides its command line.</summary>
/// <param name="Name">The environment, as in <c>appsettings.{Environment}.json</c>.</param>
/// <param name="Variables">The process's environment variables.</param>
internal sealed record ProgramEnvironment(string Name, IReadOnlyDictionary<string, string?> Variables)
{
    /// <summary>For tests: adds to the services of the gateway that a command builds, such as the address of an emulator of AWS.</summary>
    public Action<IServiceCollection>? Services { get; init; }

    public static ProgramEnvironment OfProcess() => Of(
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(variable => (string)variable.Key, variable => (string?)variable.Value));

    // Files of variables leave blanks and carriage returns at a value's end, and an unset variable of a template is an empty one.
    public static ProgramEnvironment Of(IReadOnlyDictionary<string, string?> variables) => new(
        ((string[])["ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT"]).Select(variable => variables.GetValueOrDefault(variable)?.Trim())
            .FirstOrDefault(static name => name is { Length: > 0 }) ?? Environments.Production,
        variables);

    /// <summary>Loads and validates the configuration. Keys from the command line override all others.</summary>
    /// <param name="keys">The command line's keys.</param>
    /// <param name="onRead">Called with the configuration before its rules are checked. It can be invalid then.</param>
    public LoadResult Load(IReadOnlyList<string> keys, Action<Snapshot>? onRead = null) => ConfigurationFolder.Load(keys, Name, Variables, onRead);

    /// <summary>Loads and validates the configuration of a folder, or of a file in place of its main file.</summary>
    public LoadResult LoadFolderOrFile(string path, IReadOnlyList<string> keys) => ConfigurationFolder.LoadFolderOrFile(path, keys, Name, Variables);
}
