using System.CommandLine;
using System.CommandLine.Invocation;

namespace Gateway.Commands;

/// <summary>
/// The program's command line: a command with its options, or none, and any keys of the configuration. What no command knows is such a key.
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

        // A value is never a file's content, nor several options in one.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        // A command stands first; further on, the same word is some key's value.
        if (parsed.CommandResult.Command is not RootCommand && parsed.CommandResult.Command.Name != args[0]) return await RunCommand.RunAsync(args, environment);

        // What is wrong, without the whole help after it.
        if (parsed.Action is ParseErrorAction misuse) misuse.ShowHelp = false;

        // The host itself sees to signals, and to how a start fails.
        var invocation = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        if (output is not null) invocation.Output = output;
        if (error is not null) invocation.Error = error;
        return await parsed.InvokeAsync(invocation);
    }

    /// <summary>The keys of the configuration on a command's line, the folder's included: the last, like the last of any key.</summary>
    public static IReadOnlyList<string> ConfigurationKeys(this ParseResult parsed) =>
        parsed.GetValue<string[]>(Config) is [.., var folder] ? [Config, folder, .. parsed.UnmatchedTokens] : parsed.UnmatchedTokens;
}
