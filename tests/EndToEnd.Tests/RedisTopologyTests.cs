using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A cluster, and a primary behind Sentinel: what a node's loss is told as, and that its place is found when another takes it.</summary>
[Trait("Category", "Redis")]
public sealed class RedisTopologyTests
{
    public static TheoryData<string> Topologies => [.. RedisTopology.Names];

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task D5_a_primary_that_is_lost_with_all_its_replicas_is_told_once_and_nobody_notices(string topology)
    {
        await using var world = await World.StartAsync();
        await using var redis = await RedisTopology.StartAsync(topology);
        var gateways = new[] { await StartAsync(world, redis), await StartAsync(world, redis) };
        foreach (var gateway in gateways) Assert.Equal(200, (await gateway.VendAsync("o-before")).Status);

        var lost = await redis.ShardAsync();
        foreach (var server in lost) await server.KillAsync();
        var (asked, first) = (0, gateways[0]);
        await Eventually.IsTrueAsync(
            async () =>
            {
                await VendAsync();
                return first.Log.Count(LogLevel.Warning, "cannot be used: ") > 0;
            },
            () => first.Log.Text);
        for (var i = 0; i < 20; i++) await VendAsync();
        Assert.Equal("Degraded", await SharedRedis.ReadinessAsync(world, first.ManagementUrl));

        foreach (var server in lost) await server.RestartAsync();
        await first.Log.WaitForAsync(LogLevel.Information, "works again, after ");
        await SharesAsync(gateways, "o-after");

        Assert.True(
            first.Log.Count(LogLevel.Warning, "cannot be used: ") == 1 && first.Log.Count(LogLevel.Information, "works again, after ") == 1, first.Log.Text);
        Assert.Equal("Healthy", await SharedRedis.ReadinessAsync(world, first.ManagementUrl));

        async Task VendAsync()
        {
            var answer = await first.VendAsync($"o-during{asked++}");
            Assert.True(answer.Status == 200, first.Log.Text);
        }
    }

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task D5_a_primary_whose_place_another_takes_is_followed_without_a_restart(string topology)
    {
        await using var world = await World.StartAsync();
        await using var redis = await RedisTopology.StartAsync(topology);
        var gateways = new[] { await StartAsync(world, redis), await StartAsync(world, redis) };
        await SharesAsync(gateways, "o-before");

        for (var i = 0; i < 3; i++)
        {
            await redis.FailOverAsync();
            await SharesAsync(gateways, $"o-failover{i}x");
            await redis.SettleAsync();
        }

        var killed = await redis.PrimaryAsync();
        await killed.KillAsync();
        if (topology == RedisTopology.OneServer) await killed.RestartAsync();
        await SharesAsync(gateways, "o-killed");
    }

    public static TheoryData<string> WithoutCluster => [.. RedisTopology.Names.Where(static name => name != RedisTopology.Cluster)];

    [Theory]
    [MemberData(nameof(WithoutCluster))]
    public async Task Nodes_none_of_which_is_a_primary_are_told_once(string topology)
    {
        await using var world = await World.StartAsync();
        await using var redis = await RedisTopology.StartAsync(topology);
        var gateway = await StartAsync(world, redis);
        Assert.Equal(200, (await gateway.VendAsync("o-before")).Status);

        // The sentinels go on naming a node that has become a replica of its own replica.
        foreach (var sentinel in redis.Sentinels) await sentinel.ExecuteAsync("SENTINEL", "SET", "gateway", "down-after-milliseconds", "600000");
        var primary = await redis.PrimaryAsync();
        var other = redis.Servers.FirstOrDefault(server => server != primary) ?? primary;
        if (RedisServer.IsReal) await primary.ExecuteAsync("REPLICAOF", "127.0.0.1", other.Port.ToString(CultureInfo.InvariantCulture));
        else await primary.KillAsync();
        var asked = 0;
        await Eventually.IsTrueAsync(async () =>
        {
            Assert.Equal(200, (await gateway.VendAsync($"o-during{asked++}")).Status);
            return gateway.Log.Count(LogLevel.Warning, RedisServer.IsReal ? "cannot be used: it is a read-only replica" : "cannot be used: ") == 1
                && await SharedRedis.ReadinessAsync(world, gateway.ManagementUrl) == "Degraded";
        }, () => gateway.Log.Text);
        if (RedisServer.IsReal)
        {
            // The gateway looks once a second, by connections of its own.
            var before = await ConnectionsAsync(other);
            await Eventually.IsTrueAsync(async () => await ConnectionsAsync(other) > before + 10, () => gateway.Log.Text);
        }

        Assert.True(gateway.Log.Count(LogLevel.Warning, "cannot be used: ") == 1, gateway.Log.Text);
        Assert.True(gateway.Log.Count(LogLevel.Information, "is a replica now") <= 1, gateway.Log.Text);

        if (RedisServer.IsReal) await primary.ExecuteAsync("REPLICAOF", "NO", "ONE");
        else await primary.RestartAsync();
        await gateway.Log.WaitForAsync(LogLevel.Information, "works again, after ");
        await SharesAsync([gateway, await StartAsync(world, redis)], "o-after");
    }

    private static Task<RunningGateway> StartAsync(World world, RedisTopology redis) => world.StartGatewayAsync(settings =>
    {
        settings["ConnectionStrings"]!["Redis"] = redis.ConnectionString;
        settings["IotCredentials"]!["Sts"] = new JsonObject { ["PermitsPerSecond"] = 10_000, ["MaxConcurrent"] = 1_000 };
    });

    private static async Task<int> ConnectionsAsync(RedisServer server)
    {
        var lines = (await server.ExecuteAsync("INFO", "stats")).Split('\n');
        var line = lines.Single(static line => line.StartsWith("total_connections_received:", StringComparison.Ordinal));
        return int.Parse(line.Split(':')[1], CultureInfo.InvariantCulture);
    }

    private static async Task SharesAsync(RunningGateway[] gateways, string organizations)
    {
        var i = 0;
        await Eventually.IsTrueAsync(async () =>
        {
            var answers = new List<Response>();
            foreach (var gateway in gateways) answers.Add(await gateway.VendAsync($"{organizations}{i}"));
            i++;
            Assert.All(answers, answer => Assert.True(answer.Status == 200, gateways[0].Log.Text));
            return answers.Select(answer => answer.AccessKeyId).Distinct().Count() == 1;
        });
    }
}
