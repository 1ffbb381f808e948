using System.CommandLine;
using System.Globalization;
using Gateway.Configuration.Snapshots;

namespace Gateway.Commands;

/// <summary><c>doctor</c>: reaches everything that the gateway depends on, with the gateway's own clients, and prints the results.</summary>
internal static class DoctorCommand
{
    private const string Organization = "--organization";
    private const string Timeout = "--timeout";

    public static Command Create(ProgramEnvironment environment)
    {
        var timeout = new Option<int>(Timeout)
        {
            Description = "The seconds that each dependency has to answer.",
            HelpName = "SECONDS",
            DefaultValueFactory = static _ => 5,
        };
        timeout.Validators.Add(static given =>
        {
            if (given.Tokens is not [var token]) return;
            if (!int.TryParse(token.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds is < 1 or > 300)
                given.AddError("--timeout is from 1 to 300 seconds");
        });
        var command = new Command("doctor", "Reaches issuers, Redis, AWS and destinations, and says what it found.")
        {
            new Option<string>(Organization) { Description = "An organization to try each module route's AssumeRole for.", HelpName = "ID" },
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
            return read.ExitCode();
        }

        OrganizationId? organization = null;
        if (parsed.GetValue<string>(Organization) is { } id && !configuration.Profiles!.OrganizationIds.TryParse(id, out organization))
        {
            error.WriteLine("error: --organization is no organization id: IotCredentials:OrganizationId says its form");
            return ExitCode.Failed;
        }

        await using var gateway = IdleGateway.Build(configuration, environment);
        var rows = await ExamineAsync(configuration, gateway.Services, environment, organization, TimeSpan.FromSeconds(parsed.GetRequiredValue<int>(Timeout)));
        var width = rows.Max(row => row.Check.Length);
        foreach (var row in rows)
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{row.Check.PadRight(width)}  {row.Outcome.ToString().ToLowerInvariant(),-7}  {row.Found.OneLine()}"));
        return rows.Any(row => row.Outcome == Outcome.Failed) ? ExitCode.Failed : ExitCode.Good;
    }

    private static async Task<IReadOnlyList<DoctorResult>> ExamineAsync(
        Snapshot configuration, IServiceProvider services, ProgramEnvironment environment, OrganizationId? organization, TimeSpan timeout)
    {
        var all = await Task.WhenAll(
            IssuerCheck.RunAsync(services, timeout),
            RedisCheck.RunAsync(configuration, services, timeout),
            AwsCheck.RunAsync(configuration, services, environment, organization, timeout),
            DestinationCheck.RunAsync(configuration, services, timeout));
        return [.. all.SelectMany(rows => rows)];
    }
}
