using System.Diagnostics;
using Testing;

namespace Vending;

/// <summary>Many callers, three replicas, nothing cached: how many calls AWS gets, and how long until everybody has a response.</summary>
internal static class ColdHerd
{
    private const int Replicas = 3;
    private const int CallersEach = 200;
    private const int Organizations = 1_000;
    private const int AtOnce = 50;
    private const int Rounds = 5;

    public static async Task MeasureAsync(Figures figures)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateways = (await Task.WhenAll(Enumerable.Range(0, Replicas).Select(_ => world.StartGatewayProcessAsync(settings =>
        {
            Callers.Quiet(settings);
            Callers.BigBudget(settings);
        })))).Select(gateway => gateway.Url).ToArray();
        for (var round = 0; round < Rounds; round++) await Callers.AllAtOnceAsync(world, gateways, CallersEach, $"o-warmup{round}");

        world.Aws.Calls.Clear();
        var herds = new List<double>();
        for (var round = 0; round < Rounds; round++) herds.Add(await Callers.AllAtOnceAsync(world, gateways, CallersEach, $"o-cold{round}"));
        var (each, median, worst) = (world.Aws.Count("AssumeRole") / (double)Rounds, herds.Order().ElementAt(Rounds / 2), herds.Max());
        figures.Add(
            $"cold herd: {Replicas} replicas × {CallersEach} callers at once, one organization ({Rounds} times)",
            $"{each:0.##} AssumeRole each; all served in {median:F0} ms (median), {worst:F0} ms (worst)");

        world.Aws.Calls.Clear();
        var organizations = Enumerable.Range(0, Organizations).Select(i => $"o-many{i}")
            .Select(organization => (Id: organization, Token: world.Token(organization))).ToArray();
        var begun = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(organizations, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (organization, _) =>
            await Task.WhenAll(gateways.Select(gateway => Callers.AskAsync(world, gateway, organization.Id, organization.Token))));
        figures.Add(
            $"cold fleet: {Organizations} organizations, each asked for at all {Replicas} replicas at once, {AtOnce} organizations at a time",
            $"{world.Aws.Count("AssumeRole")} AssumeRole; all served in {Stopwatch.GetElapsedTime(begun).TotalSeconds:F1} s");
    }
}
