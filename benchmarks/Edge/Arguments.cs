using System.CommandLine;
using System.Diagnostics;

namespace Edge;

/// <summary>What the command line asks for.</summary>
/// <param name="Published">The folder with the published <c>gateway</c> and <c>peers</c>.</param>
/// <param name="Results">The folder for the page and its plot.</param>
/// <param name="Only">The targets and measurements to run; none: all.</param>
/// <param name="Rounds">How often each target is measured.</param>
/// <param name="Seconds">How long each time.</param>
/// <param name="IsQuick">Whether to measure only the main goals by rate, in few short rounds.</param>
/// <param name="Begun">The timestamp of the whole run's begin, what came before this process included.</param>
internal sealed record Arguments(string Published, string Results, IReadOnlyList<string> Only, int Rounds, int Seconds, bool IsQuick, long Begun)
{
    // The rest takes less than the difference to eight minutes.
    private static readonly TimeSpan s_growthEnds = TimeSpan.FromSeconds(360);
    private static readonly TimeSpan s_routesBegin = TimeSpan.FromSeconds(420);

    private const int QuickRounds = 2;
    private const int QuickSeconds = 1;

    public bool WantsAll => Only.Count == 0 && !IsQuick;

    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(Begun);

    /// <summary>Whether the whole run would take too long if organizations were added still; what was asked for by name takes its time.</summary>
    public bool IsLate => WantsAll && Elapsed > s_growthEnds;

    /// <summary>Whether the whole run would take too long with the routes.</summary>
    public bool IsTooLateForRoutes => WantsAll && Elapsed > s_routesBegin;

    /// <summary>Whether a target or measurement is to be run. A whole run has no time for some.</summary>
    public bool Wants(string name) => (WantsAll && name is not ("consoles" or "streams" or "warmth")) || (IsQuick ? Stage.Few : Only).Contains(name);

    /// <summary>Runs a program with what its arguments say, or says what is wrong with them.</summary>
    public static async Task<int> InvokeAsync(string[] args, Func<Arguments, Task> run)
    {
        var published = new Option<string>("--published") { Description = "The folder with the published gateway and peers.", Required = true };
        var results = new Option<string>("--results") { Description = "The folder for the page and its plot, which a whole run writes.", Required = true };
        var only = new Option<string[]>("--only")
        {
            Description = $"By commas, some of {string.Join(' ', Stage.Names)}, and of what takes longer: "
                + "p99 (with yarp and pass) consoles start growth routes streams warmth.",
        };
        only.Validators.Add(given =>
        {
            foreach (var name in Names(given.GetValue(only)).Except([.. Stage.Names, "p99", "consoles", "start", "growth", "routes", "streams", "warmth"]))
                given.AddError($"--only knows no {name}.");
        });
        var rounds = new Option<int>("--rounds") { Description = "How often each target is measured.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<int>("--seconds") { Description = "How long each time.", DefaultValueFactory = _ => 2 };
        var spent = new Option<double>("--spent") { Description = "How many seconds of the whole run have passed already." };
        var quick = new Option<bool>("--quick") { Description = $"Measures only {string.Join(' ', Stage.Few)}, in {QuickRounds} rounds of {QuickSeconds} s." };
        var root = new RootCommand("Measures the gateway against its peers.") { published, results, only, rounds, seconds, quick, spent };
        root.Validators.Add(given =>
        {
            if (given.GetValue(quick) && given.GetResult(only) is not null) given.AddError("--quick and --only name different targets: give one of them.");
        });
        root.SetAction(parsed => run(new(
            parsed.GetRequiredValue(published),
            parsed.GetRequiredValue(results),
            [.. Names(parsed.GetValue(only))],
            parsed.GetValue(quick) ? QuickRounds : parsed.GetValue(rounds),
            parsed.GetValue(quick) ? QuickSeconds : parsed.GetValue(seconds),
            parsed.GetValue(quick),
            Stopwatch.GetTimestamp() - (long)(parsed.GetValue(spent) * Stopwatch.Frequency))));
        return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private static IEnumerable<string> Names(string[]? lists) =>
        (lists ?? []).SelectMany(names => names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
}
