using System.CommandLine;
using System.CommandLine.Invocation;
using Gateway.Commands;
using Gateway.Commands.Check;
using Gateway.Commands.Diff;
using Gateway.Commands.Doctor;
using Gateway.Commands.Explain;

/// <summary>
/// The command line: an optional command with its options, and configuration keys. Arguments that no command defines are configuration keys. The class is
/// in no namespace because it depends on the commands, and they depend on the namespace <c>Gateway</c>. It is not called <c>Program</c> because that is a
/// public class of Garnet, which the tests reference.
/// </summary>
internal static class GatewayProgram
{
    public static Task<int> Main(string[] args) => InvokeAsync(args, ProgramEnvironment.OfProcess(), CommandOutput.Standard(), CommandOutput.Error());

    public static async Task<int> InvokeAsync(string[] args, ProgramEnvironment environment, TextWriter output, TextWriter error)
    {
        try
        {
            return await RunAsync(args, environment, output, error);
        }
        catch (OutputException failure)
        {
            try
            {
                error.WriteLine($"error: {failure.Message}");
            }
            catch (OutputException)
            {
                // Only the exit code is left to say it.
            }

            return ExitCode.CannotWrite;
        }
    }

    private static async Task<int> RunAsync(string[] args, ProgramEnvironment environment, TextWriter output, TextWriter error)
    {
        try
        {
            var root = new RootCommand("Runs the gateway if no command is given. Any configuration key can be set with --KEY VALUE, --KEY=VALUE or KEY=VALUE.")
            {
                CheckCommand.Create(environment), ExplainCommand.Create(environment), DiffCommand.Create(environment), DoctorCommand.Create(environment),
                ApiKeyCommand.Create(),
                ConfigurationArguments.Folder(),
            };
            root.SetAction(_ => RunCommand.RunAsync(args, environment, error));
            foreach (var command in root.Subcommands.Prepend<Command>(root)) command.TreatUnmatchedTokensAsErrors = false;

            // A value is never read from a response file, and one argument never bundles several options.
            var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
            if (MisspeltArgument.ProblemOf(parsed, args.FirstOrDefault()) is { } problem)
            {
                error.WriteLine($"error: {problem}");
                return ExitCode.Failed;
            }

            // A command must be the first argument. In a later position the same word is the value of a configuration key.
            var called = parsed.CommandResult;
            while (called.Parent is System.CommandLine.Parsing.CommandResult { Command: not RootCommand } above) called = above;
            if (called.Command is not RootCommand && called.Command.Name != args[0]) return await RunCommand.RunAsync(args, environment, error);
            // Print the parse error without the help text.
            if (parsed.Action is ParseErrorAction misuse) misuse.ShowHelp = false;
            // The host handles signals and reports start failures itself.
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = output,
                Error = error,
                ProcessTerminationTimeout = null,
                EnableDefaultExceptionHandler = false,
            });
        }
        catch (Exception exception) when (exception is not OutputException)
        {
            error.WriteLine(UnexpectedFailure.Describe(args, environment, exception));
            return ExitCode.CannotRead;
        }
    }
}
