using System.CommandLine;
using Gateway.Configuration;
using Gateway.Configuration.Sources;

namespace Gateway.Commands;

/// <summary>The arguments that belong to the configuration: its folder, and keys with their values.</summary>
internal static class ConfigurationArguments
{
    /// <summary>The option that names the folder.</summary>
    public const string Config = "--config";

    public static Option<string[]> Folder() => new(Config)
    {
        Description = "The folder that holds appsettings.json. Default: the variable GATEWAY_CONFIG, else appsettings.",
        HelpName = "DIR",
        Arity = ArgumentArity.OneOrMore,
        Recursive = true,
    };

    /// <summary>Returns the keys on a command's line, with the folder. If the folder is given more than once, the last one wins, as for any key.</summary>
    public static IReadOnlyList<string> ConfigurationKeys(this ParseResult parsed) =>
        parsed.GetValue<string[]>(Config) is [.., var folder] ? [Config, folder, .. parsed.UnmatchedTokens] : parsed.UnmatchedTokens;

    /// <summary>Whether a command's line names a folder, as the option or as a key, such as <c>config=DIR</c>.</summary>
    public static bool NamesFolder(this ParseResult parsed) => CommandLineLayer.Read(parsed.ConfigurationKeys(), new FindingList()).Folder is not null;
}
