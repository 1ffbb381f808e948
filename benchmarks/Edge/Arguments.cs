using System.CommandLine;

namespace Edge;

/// <summary>What the command line asks for.</summary>
/// <param name="Published">The folder with the published <c>gateway</c> and <c>peers</c>.</param>
/// <param name="Only">The targets and measurements to run; none: all.</param>
/// <param name="Rounds">How often each target is measured.</param>
/// <param name="Seconds">How long each time.</param>
internal sealed record Arguments(string Published, IReadOnlyList<string> Only, int Rounds, int Seconds)
{
    public bool Wants(string name) => Only.Count == 0 || Only.Contains(name);

    /// <summary>Runs a program with what its arguments say, or says what is wrong with them.</summary>
    public static async Task<int> InvokeAsync(string[] args, Func<Arguments, Task> run)
    {
        var published = new Option<string>("--published") { Description = "The folder with the published gateway and peers.", Required = true };
        var only = new Option<string[]>("--only") { Description = "Some of kestrel kestrel-jwt yarp yarp-jwt haproxy nginx pass vend pass-quiet vend-quiet, by commas." };
        var rounds = new Option<int>("--rounds") { Description = "How often each is measured.", DefaultValueFactory = _ => 3 };
        var seconds = new Option<int>("--seconds") { Description = "How long each time.", DefaultValueFactory = _ => 4 };
        var root = new RootCommand("Measures the gateway against its peers.") { published, only, rounds, seconds };
        root.SetAction(parsed => run(new(
            parsed.GetRequiredValue(published),
            [.. (parsed.GetValue(only) ?? []).SelectMany(names => names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
            parsed.GetValue(rounds),
            parsed.GetValue(seconds))));
        return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }
}
