using System.CommandLine;
using System.Globalization;
using Gateway.Configuration.Snapshots;
using Gateway.Explanations;

namespace Gateway.Commands.Doctor;

/// <summary><c>doctor</c>: tests every dependency with the gateway's own clients, and prints the results.</summary>
internal static class DoctorCommand
{
    private const string Organization = "--organization";
    private const string Timeout = "--timeout";

    public static Command Create(ProgramEnvironment environment)
    {
        var timeout = new Option<int>(Timeout)
        {
            Description = "The number of seconds that each dependency has to respond.",
            HelpName = "SECONDS",
            DefaultValueFactory = static _ => 5,
        };
        timeout.Validators.Add(static given =>
        {
            if (given.Tokens is not [var token]) return;
            if (!int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds is < 1 or > 300)
                given.AddError("--timeout must be from 1 to 300 seconds");
        });
        var command = new Command("doctor", "Tests the connection to issuers, Redis, AWS and destinations.")
        {
            new Option<string>(Organization) { Description = "The organization for which each module route's AssumeRole is tried.", HelpName = "ID" },
            timeout,
        };
        command.SetAction((parsed, _) => RunAsync(parsed, environment));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, ProgramEnvironment environment)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var read = environment.Load(parsed.ConfigurationKeys());
        if (read.Snapshot is not { } configuration)
        {
            foreach (var finding in read.Findings) error.WriteLine(finding);
            return ExitCode.Of(read);
        }

        OrganizationId? organization = null;
        if (parsed.GetValue<string>(Organization) is { } id && !configuration.Profiles!.OrganizationIds.TryParse(id, out organization))
        {
            error.WriteLine("error: --organization is not an organization id: IotCredentials:OrganizationId defines its form");
            return ExitCode.Failed;
        }

        await using var gateway = IdleGateway.Build(configuration, environment);
        var rows = await ExamineAsync(configuration, gateway.Services, environment, organization, TimeSpan.FromSeconds(parsed.GetRequiredValue<int>(Timeout)));
        var width = rows.Max(row => row.Check.Length);
        foreach (var row in rows)
            output.WriteLine($"{row.Check.PadRight(width)}  {row.Outcome.ToString().ToLowerInvariant(),-7}  {row.Found.OneLine()}");
        return rows.Any(row => row.Outcome == Outcome.Failed) ? ExitCode.Failed : ExitCode.Good;
    }

    private static async Task<IReadOnlyList<DoctorResult>> ExamineAsync(
        Snapshot configuration, IServiceProvider services, ProgramEnvironment environment, OrganizationId? organization, TimeSpan timeout)
    {
        var all = await Task.WhenAll(
            IssuerCheck.RunAsync(services, timeout),
            CallerCheck.RunAsync(configuration, services, timeout),
            RedisCheck.RunAsync(configuration, services, timeout),
            AwsCheck.RunAsync(configuration, services, environment, organization, timeout),
            DestinationCheck.RunAsync(configuration, services, timeout));
        return [.. all.SelectMany(rows => rows)];
    }
}
