using System.CommandLine;
using Gateway.Configuration.Loading;
using Gateway.Differences;
using Gateway.Explanations;
using IotCredentials.Failures;

namespace Gateway.Commands.Diff;

/// <summary><c>diff</c>: what a change of the configuration means, and what it would have meant for requests of an access log. It makes no call.</summary>
internal static class DiffCommand
{
    private const string Requests = "--requests";

    public static Command Create(ProgramEnvironment environment)
    {
        var format = OutputFormat.Option();
        var before = new Argument<string>("OLD") { Description = "The configuration before: a folder, or the file appsettings.json." };
        var after = new Argument<string>("NEW") { Description = "The configuration after." };
        var requests = new Option<string>(Requests) { Description = "An access log, whose requests are tried with both.", HelpName = "FILE" };
        var command = new Command("diff", "Shows what a change of the configuration means. Exits with 3 if anything is loosened.")
        {
            before, after, requests, format,
        };
        command.SetAction((parsed, _) => RunAsync(
            parsed, parsed.GetRequiredValue(before), parsed.GetRequiredValue(after), parsed.GetValue(requests), parsed.IsJson(format), environment));
        return command;
    }

    private static async Task<int> RunAsync(
        ParseResult parsed, string before, string after, string? requests, bool isJson, ProgramEnvironment environment)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        if (parsed.NamesFolder())
        {
            error.WriteLine($"error: {ConfigurationArguments.Config} is given: diff reads OLD and NEW instead");
            return ExitCode.Failed;
        }

        // Both are read with the same variables and the same keys of the command line.
        LoadResult[] read = [.. ((string[])[before, after]).Select(path => environment.LoadFolderOrFile(path, [.. parsed.UnmatchedTokens]))];
        if (read is not [{ Snapshot: { } old }, { Snapshot: { } current }])
        {
            if (isJson) output.WriteJson(new { Old = new { Findings = FindingRow.Of(read[0]) }, New = new { Findings = FindingRow.Of(read[1]) } });
            else foreach (var (name, result) in ((string[])["OLD", "NEW"]).Zip(read).Where(static one => one.Second.Snapshot is null))
                foreach (var finding in result.Findings) error.WriteLine($"{name}: {finding}");
            return read.Max(ExitCode.Of);
        }

        var (effective, other) = (new EffectiveConfiguration(old), new EffectiveConfiguration(current));
        var changes = ConfigurationComparison.Of(effective, other);
        ReplayReport? replay = null;
        if (requests is not null)
        {
            try
            {
                replay = await ReplayAsync(requests, effective, other, environment);
            }
            // A path without characters is an ArgumentException.
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException || requests.Length == 0)
            {
                error.WriteLine($"error: {Requests} cannot be read: {SecretText.HideInSentence(exception.Message)}");
                return ExitCode.CannotRead;
            }
        }

        if (isJson) output.WriteJson(Document(effective, other, changes, replay));
        else WriteText(output, changes, replay);
        return changes.Any(static change => change.Loosens) ? ExitCode.Loosened : ExitCode.Good;
    }

    private static async Task<ReplayReport> ReplayAsync(
        string requests, EffectiveConfiguration before, EffectiveConfiguration after, ProgramEnvironment environment)
    {
        await using var log = File.OpenRead(requests);
        await using var old = IdleGateway.BuildAlone(before.Snapshot, environment);
        await using var current = IdleGateway.BuildAlone(after.Snapshot, environment);
        using var replay = new Replay(new ReplayTable(before, old), new ReplayTable(after, current));
        return replay.Run(log);
    }

    private static object Document(EffectiveConfiguration before, EffectiveConfiguration after, IReadOnlyList<Change> changes, ReplayReport? replay)
    {
        return new
        {
            Old = new { before.Snapshot.Folder, Hash = before.Hash() },
            New = new { after.Snapshot.Folder, Hash = after.Hash() },
            Loosened = changes.Any(static change => change.Loosens),
            Changes = changes.Select(static change => new { Effect = WordOf(change.Effect), change.Subject, change.Text, change.Loosens }),
            Requests = replay,
        };
    }

    private static void WriteText(TextWriter output, IReadOnlyList<Change> changes, ReplayReport? replay)
    {
        foreach (var change in changes)
            output.WriteLine($"{WordOf(change.Effect).ToUpperInvariant(),-11}{change.Subject.OneLine()}: {change.Text.OneLine()}");
        if (changes.Count > 0) output.WriteLine($"\n{ConfigurationComparison.Counts(changes)}");
        if (replay is not null) output.Write(replay.ToText());
    }

    private static string WordOf(Effect effect) => effect == Effect.Unjudged ? "not judged" : effect.ToString().ToLowerInvariant();
}
