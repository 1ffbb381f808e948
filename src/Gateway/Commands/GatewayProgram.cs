using System.CommandLine;
using System.CommandLine.Invocation;

namespace Gateway.Commands;

/// <summary>
/// The program's command line: an optional command with its options, and configuration keys. Arguments that no command defines are configuration
/// keys.
/// </summary>
internal static class GatewayProgram
{
    private const string Config = "--config";

    public static async Task<int> InvokeAsync(string[] args, ProgramEnvironment environment, TextWriter? output = null, TextWriter? error = null)
    {
        try
        {
            return await RunAsync(args, environment, output, error);
        }
        catch (Exception exception)
        {
            (error ?? Console.Error).WriteLine(UnexpectedFailure.Describe(args, environment, exception));
            return ExitCode.CannotRead;
        }
    }

    private static async Task<int> RunAsync(string[] args, ProgramEnvironment environment, TextWriter? output, TextWriter? error)
    {
        var root = new RootCommand("The gateway. Without a command it runs; any configuration key can be set by --KEY VALUE, --KEY=VALUE or KEY=VALUE.")
        {
            CheckCommand.Create(environment),
            ExplainCommand.Create(environment),
            DoctorCommand.Create(environment),
            new Option<string[]>(Config)
            {
                Description = "The folder that holds appsettings.json. Default: GATEWAY_CONFIG, or else appsettings.",
                HelpName = "DIR",
                Arity = ArgumentArity.OneOrMore,
                Recursive = true,
            },
        };
        root.SetAction(_ => RunCommand.RunAsync(args, environment));
        foreach (var command in root.Subcommands.Prepend<Command>(root)) command.TreatUnmatchedTokensAsErrors = false;

        // A value is never read from a response file, and one argument never bundles several options.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        // A command must be the first argument. In a later position the same word is the value of a configuration key.
        if (parsed.CommandResult.Command is not RootCommand && parsed.CommandResult.Command.Name != args[0]) return await RunCommand.RunAsync(args, environment);

        // Print the parse error without the help text.
        if (parsed.Action is ParseErrorAction misuse) misuse.ShowHelp = false;

        // The host handles signals and reports start failures itself.
        var invocation = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        if (output is not null) invocation.Output = output;
        if (error is not null) invocation.Error = error;
        return await parsed.InvokeAsync(invocation);
    }

    /// <summary>
    /// Returns the configuration keys on a command's line, including the folder. If the folder is given more than once, the last one wins, as for any
    /// key.
    /// </summary>
    public static IReadOnlyList<string> ConfigurationKeys(this ParseResult parsed) =>
        parsed.GetValue<string[]>(Config) is [.., var folder] ? [Config, folder, .. parsed.UnmatchedTokens] : parsed.UnmatchedTokens;
}
