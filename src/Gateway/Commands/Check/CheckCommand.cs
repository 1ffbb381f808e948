using System.CommandLine;
using Gateway.Configuration.Snapshots;
using Gateway.Explanations;
using Gateway.Routes;

namespace Gateway.Commands.Check;

/// <summary><c>check</c>: prints the findings that a start would print, and the resulting routes.</summary>
internal static class CheckCommand
{
    public static Command Create(ProgramEnvironment environment)
    {
        var format = OutputFormat.Option();
        var command = new Command("check", "Validates the configuration and prints the routes in the order they are matched.") { format };
        command.SetAction((parsed, _) => RunAsync(parsed, parsed.IsJson(format), environment));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, bool isJson, ProgramEnvironment environment)
    {
        var read = environment.Load(parsed.ConfigurationKeys());
        if (read.Snapshot is { } snapshot && PlainYarp.FindingOf(snapshot) is { } moved) read = read with { Findings = [.. read.Findings, moved] };
        var rows = await RoutesAsync(read.Snapshot, environment);
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        if (isJson)
        {
            output.WriteJson(new { read.Layers, Findings = FindingRow.Of(read), Routes = rows });
        }
        else
        {
            foreach (var finding in read.Findings) error.WriteLine(finding);
            if (rows is null) return ExitCode.Of(read);
            output.WriteLine($"Layers, each overriding those before it: {string.Join(", ", read.Layers)}.\n");
            output.Write(RouteText.Of(rows));
        }

        return ExitCode.Of(read);
    }

    private static async Task<IReadOnlyList<RouteRow>?> RoutesAsync(Snapshot? configuration, ProgramEnvironment environment)
    {
        if (configuration is null) return null;
        await using var gateway = IdleGateway.BuildAlone(configuration, environment);
        var table = gateway.Services.GetRequiredService<SnapshotRoutes>().Current;
        return [.. RouteOrder.Of(gateway).Select(endpoint => RouteRow.Of(endpoint, table, configuration))];
    }
}
