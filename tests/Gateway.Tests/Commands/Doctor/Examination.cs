using System.Text.Json.Nodes;
using Testing;

namespace Gateway.Tests.Commands.Doctor;

/// <summary>The result of <c>doctor</c>, with a row for each check.</summary>
internal sealed record Examination(int ExitCode, IReadOnlyDictionary<string, (string Outcome, string Found)> Rows, string Output)
{
    /// <param name="world">The platform that it examines.</param>
    /// <param name="change">Changes the world's settings.</param>
    /// <param name="arguments">More arguments.</param>
    /// <param name="timeout">The seconds that each check has.</param>
    /// <param name="variables">The environment variables of a process of its own. Default: it runs in this process, asks the world's AWS and does
    /// not use the SDK's own sources of credentials.</param>
    public static async Task<Examination> RunAsync(
        World world, Action<JsonObject>? change = null, string[]? arguments = null, int timeout = 100,
        IEnumerable<KeyValuePair<string, string>>? variables = null)
    {
        using var folder = world.Folder(change);
        string[] line = ["doctor", "--config", folder.Path, "--timeout", $"{timeout}", .. arguments ?? []];
        var (exitCode, output) = variables is null ? await RunHereAsync(line, world) : await GatewayProcess.RunAsync(line, variables);
        var rows = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(row => row.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            .Where(parts => parts.Length == 3)
            .ToDictionary(parts => parts[0], parts => (parts[1], parts[2]));
        return new(exitCode, rows, output);
    }

    private static async Task<(int ExitCode, string Output)> RunHereAsync(string[] arguments, World world)
    {
        var command = await CommandResult.RunAsync(arguments, world: world);
        return (command.ExitCode, command.Output + command.Error);
    }
}
