using System.CommandLine;

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
}
