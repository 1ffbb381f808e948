using System.Text.Json;
using Gateway.Commands;

namespace Gateway.Tests.Commands;

/// <summary>What a command came to, run in this process with no other environment than a test gives it.</summary>
internal sealed record Invoked(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public static async Task<Invoked> Of(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? variables = null)
    {
        var environment = ProgramEnvironment.Of(
            (variables ?? new Dictionary<string, string>()).ToDictionary(variable => variable.Key, string? (variable) => variable.Value));
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exitCode = await GatewayProgram.InvokeAsync([.. arguments], environment, output, error);
        return new(exitCode, output.ToString(), error.ToString());
    }
}
