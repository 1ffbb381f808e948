using System.Globalization;

namespace Edge;

/// <summary>The measurements that are wanted, one after the other; all of them write the page.</summary>
internal static class Benchmark
{
    public static async Task RunAsync(Arguments arguments)
    {
        await using var stage = await Stage.StartAsync(arguments.Published, arguments.Wants);
        var targets = stage.Targets;
        var goals = new List<Goal>();
        foreach (var target in targets)
        {
            Say($"warming up {target.Name}");
            await target.WarmUpAsync();
        }

        for (var round = 1; round <= arguments.Rounds && targets.Count > 0; round++)
        {
            Say($"round {round}");
            foreach (var target in targets) await target.MeasureAsync(arguments.Seconds);
        }

        goals.AddRange(Goals.OfRates(targets));
        if (arguments.Wants("p99") && targets.Find(target => target.Name == "yarp") is { } yarp && targets.Find(target => target.Name == "pass") is { } pass)
        {
            Say("p99");
            goals.AddRange(Goals.OfTail(await Tail.MeasureAsync(stage, yarp, pass)));
        }

        if (arguments.Wants("consoles"))
        {
            Say("consoles");
            goals.Add(Goals.OfConsoles(await Consoles.MeasureAsync(stage, arguments.Rounds)));
        }

        var loaded = targets.Find(target => target.Name == "pass")?.Server.Memory;
        var tables = targets.Count > 0 ? $"## Rates\n\n{Results.TableOf(targets)}" : "";
        if (arguments.Wants("start"))
        {
            Say("start");
            var (seconds, memory) = await StartUp.MeasureAsync(stage);
            goals.AddRange(Goals.OfStartUp(seconds, memory));
        }

        if (arguments.Wants("growth"))
        {
            Say("growth");
            var (steps, beyondBound) = await Growth.MeasureAsync(stage, () => arguments.IsLate);
            goals.AddRange(Goals.OfGrowth(steps, beyondBound));
            tables += $"\n## Growth\n\n{Results.TableOf(steps)}";
        }

        if (arguments.Wants("routes") && !arguments.IsTooLateForRoutes)
        {
            Say("routes");
            var steps = await RouteGrowth.MeasureAsync(stage);
            goals.Add(Goals.OfRoutes(steps));
            tables += $"\n## Routes\n\n{Results.TableOf(steps)}";
        }

        if (arguments.Wants("streams"))
        {
            Say("streams");
            tables += $"\n## Idle streams\n\n{Results.TableOf(await IdleStreams.MeasureAsync(stage))}";
        }

        if (arguments.Wants("warmth"))
        {
            Say("warmth");
            tables += $"\n## The first seconds\n\n{Results.TableOf(await Warmth.MeasureAsync(stage))}";
        }

        if (loaded is { } bytes)
            tables += string.Create(CultureInfo.InvariantCulture, $"\nAfter its rounds the gateway as shipped had {bytes / (1 << 20)} MiB resident.\n");
        if (goals.Count > 0) tables = $"## Goals\n\n{Results.TableOf(goals)}\n{tables}";
        Console.WriteLine(tables);
        if (!arguments.WantsAll) return;
        await File.WriteAllTextAsync(
            Path.Combine(arguments.Results, "results.md"), Results.Page(await Machine.DescribeAsync(), targets, tables, arguments.Seconds));
        await File.WriteAllTextAsync(Path.Combine(arguments.Results, "results.svg"), Plot.Of(targets));

        void Say(string what) => Console.Error.WriteLine($"{arguments.Elapsed:mm\\:ss} {what}");
    }
}
