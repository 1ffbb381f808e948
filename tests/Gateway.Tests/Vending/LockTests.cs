using System.Diagnostics;
using IotCredentials.Caching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Sandbox;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>A lock in Redis saves a call to AWS and never keeps anybody from one.</summary>
[Trait("Category", "Redis")]
public sealed class LockTests(ITestOutputHelper output)
{
    private const int MostRounds = 3;

    private const string Overridden = "and this replica went on without it";
    private static readonly TimeSpan s_lockLife = TimeSpan.FromSeconds(1.8);

    // The keys of the organization's credentials and of the region's endpoint.
    [Theory]
    [InlineData("D1 S5 lives for 30 s")]
    [InlineData("D1 S5 has an hour to live, as after a failover to a node whose clock is behind")]
    [InlineData("D1 S5 never ends")]
    [InlineData("D1 S5 is no string")]
    public async Task A_lock_that_no_replica_holds_delays_no_vend(string kind)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var locks = await LocksOfAsync(world, redis, "o-locked");
        var gateway = await world.StartGatewayAsync();
        foreach (var key in locks) await PlantAsync(redis, kind, key);

        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => gateway.VendAsync("o-locked")));

        Assert.All(answers, answer => Assert.True(answer.Status == 200, answer.Body));
        Assert.Equal(1, world.Aws.Count("AssumeRole"));
        Assert.Equal(1, world.Aws.Count("DescribeEndpoint"));
        // Garnet refuses the command on such a key, and the vend goes on as without Redis.
        if (RedisServer.IsReal || !kind.EndsWith("string", StringComparison.Ordinal)) Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, Overridden));
    }

    [Fact]
    public async Task D1_a_lock_that_is_planted_again_and_again_delays_a_vend_by_half_of_the_timeout()
    {
        for (var round = 1; ; round++)
        {
            await using var world = await World.StartAsync(ownRedis: true);
            await using var redis = await world.Redis.ConnectAsync();
            var locks = await LocksOfAsync(world, redis, "o-locked");
            var gateway = await world.StartGatewayAsync(settings => settings
                .Set("IotCredentials:Timeout", "\"00:00:06\"")
                .Set("Logging:LogLevel:IotCredentials", "\"Debug\""));
            using var planting = new Planting(redis, locks);

            Assert.Equal(200, (await gateway.VendAsync("o-locked")).Status);

            // On a busy machine Redis can take longer for a command than a gateway waits. Then the gateway does not wait for the lock.
            if (round < MostRounds && gateway.Log.Count(LogLevel.Debug, "Redis did not respond for a lock") > 0) continue;
            Assert.True(gateway.Log.Count(LogLevel.Warning, Overridden) == 1, gateway.Log.Text);
            return;
        }
    }

    [Fact]
    public async Task D1_nobody_waits_for_a_lock_once_what_they_need_is_there()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var gateways = new List<RunningGateway>();
        for (var i = 0; i < 2; i++) gateways.Add(await world.StartGatewayAsync(settings => settings.Set("IotCredentials:Timeout", "\"00:01:00\"")));
        var machine = await Machine.MeasureAsync(i => gateways[1].VendAsync($"o-measured{i}"), output.WriteLine);
        var hang = world.Aws.Inject(AwsFault.Hang(), "AssumeRole");
        var vending = gateways[0].VendAsync("o-shared");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-shared");
        using var planting = new Planting(redis, Locks(redis, world));
        var waiting = gateways[1].VendAsync("o-shared");

        hang.Dispose();
        Assert.Equal(200, (await vending).Status);
        var begun = Stopwatch.StartNew();
        var answer = await waiting;

        output.WriteLine($"{begun.Elapsed.TotalSeconds:F2} s after the other replica had its credentials");
        Assert.Equal((await vending).AccessKeyId, answer.AccessKeyId);
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, machine.Within(TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public async Task D1_what_comes_first_is_served_where_two_replicas_call_at_once()
    {
        for (var round = 1; ; round++)
        {
            await using var world = await World.StartAsync(ownRedis: true);
            await using var redis = await world.Redis.ConnectAsync();
            var gateways = new List<RunningGateway>();
            for (var i = 0; i < 2; i++) gateways.Add(await world.StartGatewayAsync(settings => settings.Set("IotCredentials:Timeout", "\"00:00:40\"")));
            foreach (var gateway in gateways) await gateway.VendAsync("o-warm");
            var entries = gateways[0].Services.GetRequiredService<CredentialCache>().EntryPattern;
            var before = redis.GetServers()[0].Keys(pattern: entries).Count();
            try
            {
                await IsServedWhatComesFirstAsync(world, gateways);
                return;
            }
            // On a busy machine Redis can take what came first later than a gateway waits. Then it is not shared.
            catch (Exception) when (round < MostRounds && redis.GetServers()[0].Keys(pattern: entries).Count() == before)
            {
            }
        }
    }

    [Fact]
    public async Task D1_what_comes_first_is_served_to_a_replica_that_holds_the_lock_another_has_lost()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var redis = await world.Redis.ConnectAsync();
        var gateways = new List<RunningGateway>();
        for (var i = 0; i < 2; i++) gateways.Add(await world.StartGatewayAsync(settings => settings.Set("IotCredentials:Timeout", "\"00:01:00\"")));
        foreach (var gateway in gateways) await gateway.VendAsync("o-warm");
        using var first = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", times: 1);
        var vending = gateways[0].VendAsync("o-shared");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-shared");
        using var second = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", times: 1);

        await redis.GetDatabase().KeyDeleteAsync(Locks(redis, world));
        var waiting = gateways[1].VendAsync("o-shared");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-shared", 2);
        first.Dispose();

        Assert.True((await waiting).Status == 200, gateways[1].Log.Text);
        Assert.Equal((await vending).AccessKeyId, (await waiting).AccessKeyId);
    }

    private static async Task IsServedWhatComesFirstAsync(World world, List<RunningGateway> gateways)
    {
        using var first = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", times: 1);
        var vending = gateways[0].VendAsync("o-shared");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-shared");
        using var second = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", times: 1);

        // Half of the time-out later the other replica calls, too, and AWS does not respond it.
        var waiting = gateways[1].VendAsync("o-shared");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-shared", 2);
        first.Dispose();

        Assert.True((await waiting).Status == 200, gateways[1].Log.Text);
        Assert.True((await vending).Status == 200, gateways[0].Log.Text);
        Assert.Equal((await vending).AccessKeyId, (await waiting).AccessKeyId);
        Assert.Equal(2, world.Aws.Calls.Count(call => call.AssumeRole?.RoleSessionName == "o-shared"));
    }

    /// <summary>The locks that a vend takes, learned from one that AWS keeps waiting. Afterwards Redis is empty again.</summary>
    private static async Task<RedisKey[]> LocksOfAsync(World world, ConnectionMultiplexer redis, string organization)
    {
        var gateway = await world.StartGatewayAsync();
        world.Aws.Inject(AwsFault.Hang(), "AssumeRole");
        world.Aws.Inject(AwsFault.Hang(), "DescribeEndpoint");
        var vending = gateway.VendAsync(organization);
        await world.Aws.Calls.WaitForAsync(call => call.Action == "AssumeRole");
        await world.Aws.Calls.WaitForAsync(call => call.Action == "DescribeEndpoint");
        var locks = Locks(redis, world);
        world.Aws.ClearFaults();
        await vending;
        await redis.GetServers()[0].FlushDatabaseAsync();
        world.Aws.Calls.Clear();
        Assert.Equal(2, locks.Length);
        return locks;
    }

    private static RedisKey[] Locks(ConnectionMultiplexer redis, World world) => [.. redis.GetServers()[0].Keys(pattern: world.KeyPrefix + "lock:*")];

    private static Task PlantAsync(ConnectionMultiplexer redis, string kind, RedisKey key) => kind["D1 S5 ".Length..].Split(' ')[0] switch
    {
        "lives" => redis.GetDatabase().StringSetAsync(key, "planted", TimeSpan.FromSeconds(30)),
        "has" => redis.GetDatabase().StringSetAsync(key, "planted", TimeSpan.FromHours(1)),
        "never" => redis.GetDatabase().StringSetAsync(key, "planted"),
        _ => redis.GetDatabase().ListLeftPushAsync(key, "planted"),
    };

    /// <summary>Sets locks as a replica would that holds them for ever, on a thread that a busy pool cannot delay.</summary>
    private sealed class Planting : IDisposable
    {
        private readonly ManualResetEvent _ended = new(initialState: false);
        private readonly Thread _planting;

        public Planting(ConnectionMultiplexer redis, IReadOnlyList<RedisKey> keys)
        {
            Plant(CommandFlags.None);
            _planting = new Thread(() =>
            {
                while (!_ended.WaitOne(TimeSpan.FromMilliseconds(100))) Plant(CommandFlags.FireAndForget);
            });
            _planting.Start();

            void Plant(CommandFlags flags)
            {
                foreach (var key in keys) redis.GetDatabase().StringSet(key, "planted", s_lockLife, flags: flags);
            }
        }

        public void Dispose()
        {
            _ended.Set();
            _planting.Join();
            _ended.Dispose();
        }
    }
}
