using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Testing;

namespace Vending;

/// <summary>What an organization costs in a gateway's memory and in Redis.</summary>
internal static class BytesPerOrganization
{
    private const int Organizations = 10_000;
    private const int InOneToken = 100;
    private const int AtOnce = 16;

    public static async Task MeasureAsync(Figures figures)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var callers = Enumerable.Range(0, Organizations)
            .Select(i => $"o-size{i}")
            .Chunk(InOneToken)
            .Select(organizations => (Organizations: organizations, Token: world.Token(organizations)))
            .ToArray();

        // STS responds to another gateway, so that what the emulator remembers is there before the heap is measured.
        await AskForAllAsync(world, await StartAsync(world), callers);
        world.Aws.Calls.Clear();

        var gateway = await StartAsync(world);
        await AskForAllAsync(world, gateway, callers[..10]);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await AskForAllAsync(world, gateway, callers[10..]);
        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        figures.Add($"memory of an organization in a gateway (of {Organizations})", $"{(double)grown / (Organizations - (10 * InOneToken)):F0} bytes");
        if (world.Aws.Count("AssumeRole") is > 0 and var calls) figures.Add("… of which were not found in Redis", $"{calls}");

        var (entries, bytes, how) = await MeasureRedisAsync(world);
        figures.Add($"Redis memory of an organization (of {entries} entries)", $"{(double)bytes / entries:F0} bytes ({how})");
    }

    private static Task<RunningGateway> StartAsync(World world) => world.StartGatewayAsync(Callers.BigBudget, services =>
        services.AddLogging(logging => logging.ClearProviders()));

    private static Task AskForAllAsync(World world, RunningGateway gateway, IEnumerable<(string[] Organizations, string Token)> callers) =>
        Parallel.ForEachAsync(
            callers.SelectMany(caller => caller.Organizations.Select(organization => (organization, caller.Token))),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce },
            async (ask, _) => await Callers.AskAsync(world, gateway.Url, ask.organization, ask.Token));

    private static async Task<(int Entries, long Bytes, string How)> MeasureRedisAsync(World world)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(world.Redis.ConnectionString);
        var database = connection.GetDatabase();
        var (entries, bytes) = (0, 0L);
        await foreach (var key in connection.GetServer(world.Redis.ConnectionString).KeysAsync(pattern: world.KeyPrefix + "*", pageSize: 1_000))
        {
            if (await database.KeyTypeAsync(key) != RedisType.Hash) continue;
            entries++;
            bytes += RedisServer.IsReal
                ? (long)await database.ExecuteAsync("MEMORY", "USAGE", key)
                : (await database.HashGetAllAsync(key)).Sum(field => field.Name.Length() + field.Value.Length());
        }

        return (entries, bytes, RedisServer.IsReal ? "MEMORY USAGE" : "length of the values");
    }
}
