using System.CommandLine;
using System.Globalization;
using Gateway.Configuration.Snapshots;
using Gateway.Explanations;
using IotCredentials.Operations;

namespace Gateway.Commands.Doctor;

/// <summary><c>doctor</c>: tests every dependency with the gateway's own clients, and prints the results.</summary>
internal static class DoctorCommand
{
    private const string Organization = "--organization";
    private const string Timeout = "--timeout";
    private const string Isolation = "--isolation";
    private const string Against = "--against";
    private const string Yes = "--yes";

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
        var format = OutputFormat.Option();
        var command = new Command("doctor", "Tests the connection to issuers, Redis, AWS and destinations.")
        {
            new Option<string>(Organization) { Description = "The organization for which each module route's AssumeRole is tried.", HelpName = "ID" },
            timeout,
            new Option<string>(Isolation)
            {
                Description = "Instead of the dependencies: the organization whose session tries, at AWS IoT, what it may do to itself and to another.",
                HelpName = "ID",
            },
            new Option<string>(Against) { Description = "The organization that it must not reach.", HelpName = "ID" },
            new Option<bool>(Yes) { Description = "Does not ask before messages are published." },
            format,
        };
        command.Validators.Add(static given =>
        {
            if (given.GetResult(Isolation) is null != (given.GetResult(Against) is null)) given.AddError("--isolation and --against need each other");
            else if (given.GetResult(Isolation) is not null && given.GetResult(Organization) is not null)
                given.AddError("--organization does not go with --isolation");
        });
        command.SetAction((parsed, _) => RunAsync(parsed, parsed.IsJson(format), environment));
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, bool asJson, ProgramEnvironment environment)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var read = environment.Load(parsed.ConfigurationKeys());
        if (read.Snapshot is not { } configuration)
        {
            if (asJson) output.WriteJson(new { Findings = FindingRow.Of(read) });
            else foreach (var finding in read.Findings) error.WriteLine(finding);
            return ExitCode.Of(read);
        }

        if (!TryReadOrganization(Organization, out var organization) || !TryReadOrganization(Isolation, out var own)
            || !TryReadOrganization(Against, out var other)) return ExitCode.Failed;
        if (own is not null && own.Equals(other))
        {
            error.WriteLine("error: --isolation and --against name the same organization");
            return ExitCode.Failed;
        }

        if (own is not null && !parsed.GetValue<bool>(Yes) && !IsConfirmed($"This publishes messages at AWS IoT as {own} and as {other}.", error))
            return ExitCode.Failed;
        await using var gateway = IdleGateway.Build(configuration, environment);
        var timeout = TimeSpan.FromSeconds(parsed.GetRequiredValue<int>(Timeout));
        var rows = own is null
            ? await ExamineAsync(configuration, gateway.Services, environment, organization, timeout)
            : await IsolationExamination.RunAsync(
                configuration, gateway.Services.GetRequiredService<AwsDiagnostics>(), environment, own, other!, timeout);
        Write(rows, asJson, output);
        return rows.Any(row => row.Outcome == Outcome.Failed) ? ExitCode.Failed : ExitCode.Good;

        bool TryReadOrganization(string option, out OrganizationId? id)
        {
            id = null;
            if (parsed.GetValue<string>(option) is not { } text || configuration.Profiles!.OrganizationIds.TryParse(text, out id)) return true;
            error.WriteLine($"error: {option} is not an organization id: IotCredentials:OrganizationId defines its form");
            return false;
        }
    }

    private static void Write(IReadOnlyList<DoctorResult> rows, bool asJson, TextWriter output)
    {
        if (asJson)
        {
            output.WriteJson(new { Checks = rows.Select(row => new { row.Check, Outcome = OutcomeOf(row), Found = row.Found.OneLine() }) });
            return;
        }

        var width = rows.Max(row => row.Check.Length);
        foreach (var row in rows) output.WriteLine($"{row.Check.PadRight(width)}  {OutcomeOf(row),-7}  {row.Found.OneLine()}");

        static string OutcomeOf(DoctorResult row) => row.Outcome.ToString().ToLowerInvariant();
    }

    private static bool IsConfirmed(string effect, TextWriter error)
    {
        if (Console.IsInputRedirected)
        {
            error.WriteLine($"error: {effect} There is no terminal to ask at: add --yes");
            return false;
        }

        error.Write($"{effect} Go on? [y/N] ");
        return Console.ReadLine()?.Trim() is "y" or "Y";
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
