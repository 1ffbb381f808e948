using System.Text.Json;
using Gateway.Commands;
using Testing;

namespace Gateway.Tests.Commands;

/// <summary>The exit code and the output of a command that ran in this process, in no environment but the test's.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <param name="arguments">The command and its arguments.</param>
    /// <param name="variables">The environment variables. The AWS SDK reads those of this process instead.</param>
    /// <param name="world">The world whose emulator of AWS it asks. Default: none.</param>
    public static async Task<CommandResult> RunAsync(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? variables = null, World? world = null)
    {
        var given = (variables ?? new Dictionary<string, string>()).ToDictionary(variable => variable.Key, string? (variable) => variable.Value);
        var environment = ProgramEnvironment.Of(given) with { Services = world is null ? null : world.UseAws };
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await GatewayProgram.InvokeAsync([.. arguments], environment, output, error);
        IssuedSecrets.Check("a command", $"{output}{error}");
        return new(exitCode, output.ToString(), error.ToString());
    }
}
