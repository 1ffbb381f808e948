using System.Text.Json;
using Gateway.Commands;

namespace Gateway.Tests.Commands;

/// <summary>The exit code and the output of a command that ran in this process, in no environment but the test's.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public static async Task<CommandResult> RunAsync(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        var environment = ProgramEnvironment.Of(
            (variables ?? new Dictionary<string, string>()).ToDictionary(variable => variable.Key, string? (variable) => variable.Value));
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await GatewayProgram.InvokeAsync([.. arguments], environment, output, error);
        return new(exitCode, output.ToString(), error.ToString());
    }
}
