using System.Diagnostics;
using System.Text;
using IotCredentials.Vending;
using Microsoft.Extensions.Logging;
using Sandbox;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class RedisFaultTests(ITestOutputHelper output)
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("killed")]
    [InlineData("paused")]
    [InlineData("restarted empty")]
    public async Task Callers_get_answers_within_the_timeout_whatever_becomes_of_Redis(string fault)
    {
        await using var world = await World.StartAsync(pausableRedis: true);
        var gateway = await world.StartGatewayAsync(settings => settings.Set("IotCredentials:Timeout", $"\"{s_timeout}\""));
        Assert.Equal(200, (await gateway.VendAsync("o-warm")).Status);
        var machine = await Machine.MeasureAsync(i => gateway.VendAsync($"o-measured{i}"), output.WriteLine);

        if (fault == "paused") world.Redis.Pause();
        else await world.Redis.KillAsync();
        if (fault == "restarted empty") await world.Redis.RestartAsync();

        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 20; i++)
        {
            var begun = Stopwatch.StartNew();
            var answers = await Task.WhenAll(gateway.VendAsync("o-warm"), gateway.VendAsync($"o-cold{i}"), gateway.VendAsync($"o-cold{i}"));
            Assert.All(answers, answer => Assert.True(answer.Status == 200, $"{i}, {begun.Elapsed}: {answer.Body} {gateway.Log.Text}"));
            if (begun.Elapsed > slowest) slowest = begun.Elapsed;
        }

        Assert.InRange(slowest, TimeSpan.Zero, machine.Within(s_timeout));
        if (fault == "paused") world.Redis.Resume();
    }

    public static TheoryData<string> Topologies => [.. RedisTopology.Names];

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task Organizations_get_credentials_while_the_node_with_their_keys_hangs(string topology)
    {
        await using var redis = await RedisTopology.StartAsync(topology);
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings
            .Set("ConnectionStrings:Redis", $"\"{redis.ConnectionString}\"").Set("IotCredentials:Timeout", "\"00:00:06\""));
        Assert.Equal(200, (await gateway.VendAsync("o-before")).Status);
        var primary = await redis.PrimaryAsync();
        // A node of a cluster that still speaks to the others is not replaced by a replica.
        if (topology == RedisTopology.Cluster) await primary.ExecuteAsync("CLIENT", "PAUSE", "600000", "ALL");
        else primary.Pause();
        var end = false;
        var traffic = Task.Run(async () =>
        {
            for (var i = 0; !Volatile.Read(ref end); i++) await gateway.VendAsync($"o-traffic{i}");
        });
        var others = Task.Run(async () =>
        {
            for (var i = 0; !Volatile.Read(ref end); i++) await Task.WhenAll(gateway.VendAsync($"o-more{i}"), Task.Delay(50));
        });

        for (var round = 0; round < 3; round++)
        {
            var responses = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => gateway.VendAsync($"o-cold{round}x{i}")));
            Assert.All(responses, response => Assert.True(response.Status == 200, $"{round}: {response.Body} {gateway.Log.Text}"));
        }

        Volatile.Write(ref end, true);
        await Task.WhenAll(traffic, others);
    }

    [Fact]
    public async Task Nothing_secret_and_no_access_key_id_is_readable_in_Redis()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayAsync();
        var dump = "";
        var vended = 0;
        // On a busy machine Redis may not take an entry in time, and it is not written later.
        await Eventually.IsTrueAsync(async () =>
        {
            for (var i = 0; i < 5; i++) Assert.Equal(200, (await gateway.VendAsync($"o-acme{vended++}")).Status);
            dump = await DumpAsync(world);
            return dump.Contains(world.KeyPrefix, StringComparison.Ordinal);
        });

        var issued = world.Aws.Calls.Snapshot().Select(call => call.Issued).OfType<AwsCredentials>().ToList();
        Assert.Equal(vended, issued.Count);
        foreach (var credentials in issued)
        {
            foreach (var secret in new[] { credentials.AccessKeyId, credentials.SecretAccessKey, credentials.SessionToken! })
            {
                Assert.DoesNotContain(secret, dump);
                Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)), dump);
            }
        }
    }

    [Theory]
    [InlineData("swapped")]
    [InlineData("edited")]
    [InlineData("cut")]
    [InlineData("empty")]
    [InlineData("garbage")]
    [InlineData("another version")]
    [InlineData("another key id")]
    [InlineData("another type")]
    public async Task An_entry_that_is_not_what_was_sealed_under_its_key_is_never_served(string tampering)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayAsync();
        var mine = await gateway.VendAsync("o-mine");
        var theirs = await gateway.VendAsync("o-theirs");
        await using var redis = await world.Redis.ConnectAsync();
        // Two organizations' and the endpoint's; on a busy machine one may be written behind.
        await Eventually.IsTrueAsync(() => Entries(redis, world).Count() == 3);
        await TamperAsync(redis.GetDatabase(), [.. Entries(redis, world)], tampering);

        var replica = await world.StartGatewayAsync();
        var again = await replica.VendAsync("o-mine");
        var theirsAgain = await replica.VendAsync("o-theirs");

        Assert.Equal([200, 200], [again.Status, theirsAgain.Status]);
        Assert.Equal(
            [again.AccessKeyId, theirsAgain.AccessKeyId],
            new[] { "o-mine", "o-theirs" }.Select(
                name => world.Aws.Calls.Snapshot().Last(call => call.AssumeRole?.RoleSessionName == name).Issued!.AccessKeyId));
        Assert.DoesNotContain(again.AccessKeyId, new[] { mine.AccessKeyId, theirs.AccessKeyId });
        Assert.True(replica.Log.Count(LogLevel.Error, $"Security: the entry {world.KeyPrefix}") >= 2, replica.Log.Text);

        // The entries that were tampered with have been replaced, and are shared again.
        var third = await world.StartGatewayAsync();
        Assert.Equal(again.AccessKeyId, (await third.VendAsync("o-mine")).AccessKeyId);
    }

    [Theory]
    [InlineData("the value of an entry", 1)]
    [InlineData("the values of all entries", 3)]
    [InlineData("another field of an entry", 0)]
    [InlineData("times of an entry that are none", 0)]
    [InlineData("the value of a generation", 1)]
    [InlineData("the name of a generation", 1)]
    [InlineData("many generations", 1)]
    public async Task S13_a_replica_loads_nothing_large_from_Redis_and_what_is_too_long_is_refused_and_removed(string place, int refused)
    {
        const int large = 3_000_000;
        await using var world = await World.StartAsync(ownRedis: true);
        await using var connection = await world.Redis.ConnectAsync();
        using var forwarder = new TcpForwarder(world.Redis.Port);
        var redis = connection.GetDatabase();
        string mine;
        await using (var writer = await RunningGateway.StartAsync(world, world.Folder()))
        {
            mine = (await writer.VendAsync("o-mine")).AccessKeyId;
            await writer.VendAsync("o-theirs");
            await Eventually.IsTrueAsync(() => Entries(connection, world).Count() == 3);
        }

        RedisKey generations = world.KeyPrefix + "forgotten";
        RedisKey[] entries = [.. Entries(connection, world)];
        switch (place)
        {
            case "many generations":
                foreach (var some in Enumerable.Range(0, GenerationStore.MostFields + 5_000).Chunk(21_000))
                    await redis.HashSetAsync(generations, [.. some.Select(static i => new HashEntry($"o-{i}.0", "x"))]);
                break;
            case "the value of a generation":
                await redis.HashSetAsync(generations, "o-mine.0", new byte[large]);
                break;
            case "the name of a generation":
                await redis.HashSetAsync(generations, new byte[large], "x");
                break;
            case "times of an entry that are none":
                foreach (var key in entries) await redis.HashSetAsync(key, [new("absexp", "9223372036854775807"), new("sldexp", "soon")]);
                break;
            case "another field of an entry":
                foreach (var key in entries) await redis.HashSetAsync(key, [new("absexp", new byte[large]), new("sldexp", new byte[large])]);
                break;
            default:
                foreach (var key in place.Contains("all", StringComparison.Ordinal) ? entries : [EntryOf(entries, "o-mine")])
                    await redis.HashSetAsync(key, "data", new byte[large]);
                break;
        }

        var replica = await world.StartGatewayAsync(settings => settings.Set("ConnectionStrings:Redis", $"\"127.0.0.1:{forwarder.Port}\""));
        var (again, theirs) = (await replica.VendAsync("o-mine"), await replica.VendAsync("o-theirs"));

        Assert.True((again.Status, theirs.Status) == (200, 200), replica.Log.Text);
        var isEntryLost = place.Contains("value", StringComparison.Ordinal) && place.Contains("entr", StringComparison.Ordinal);
        if (place == "many generations")
        {
            // On a busy machine Redis can take longer to read so many than a vend waits.
            await replica.Log.WaitForAsync(LogLevel.Error, "Security: 5000 of the fields");
        }
        else
        {
            Assert.Equal(!isEntryLost, again.AccessKeyId == mine);
            if (refused > 0) await replica.Log.WaitForAsync(LogLevel.Error, "Security:");
            Assert.True(replica.Log.Count(LogLevel.Error, "Security:") == refused, replica.Log.Text);
        }

        if (place.EndsWith("of a generation", StringComparison.Ordinal)) Assert.Equal(0, await redis.HashLengthAsync(generations));
        // Of 100,000 generations, each poll reads some megabytes.
        if (place != "many generations") Assert.InRange(forwarder.Returned, 1, 1_000_000);
    }

    private static RedisKey EntryOf(RedisKey[] entries, string organization)
    {
        var tag = CacheKey.OrganizationTag(organization);
        return Array.Find(entries, key => ((string)key!).Contains($":{tag}-", StringComparison.Ordinal));
    }

    private static IEnumerable<RedisKey> Entries(ConnectionMultiplexer redis, World world) =>
        redis.GetServers()[0].Keys(pattern: world.KeyPrefix + "v2:*").OrderBy(key => (string)key!, StringComparer.Ordinal);

    private static async Task TamperAsync(IDatabase redis, RedisKey[] keys, string tampering)
    {
        Assert.Equal(3, keys.Length);
        var values = await Task.WhenAll(keys.Select(key => redis.HashGetAsync(key, "data")));
        for (var i = 0; i < keys.Length; i++)
        {
            byte[] value = values[i]!;
            switch (tampering)
            {
                case "swapped":
                    await redis.HashSetAsync(keys[i], "data", values[(i + 1) % keys.Length]);
                    break;
                case "edited":
                    value[^5] ^= 1;
                    await redis.HashSetAsync(keys[i], "data", value);
                    break;
                case "cut":
                    await redis.HashSetAsync(keys[i], "data", value[..10]);
                    break;
                case "empty":
                    await redis.HashSetAsync(keys[i], "data", "");
                    break;
                case "another version":
                    value[0]++;
                    await redis.HashSetAsync(keys[i], "data", value);
                    break;
                case "another key id":
                    value[1] ^= 1;
                    await redis.HashSetAsync(keys[i], "data", value);
                    break;
                case "garbage":
                    await redis.HashSetAsync(keys[i], "data", "{\"a\":1}");
                    break;
                default:
                    await redis.KeyDeleteAsync(keys[i]);
                    await redis.StringSetAsync(keys[i], "no hash at all");
                    break;
            }
        }
    }

    private static async Task<string> DumpAsync(World world)
    {
        await using var redis = await world.Redis.ConnectAsync();
        var dump = new StringBuilder();
        foreach (var key in redis.GetServers()[0].Keys())
        {
            dump.AppendLine(key);
            if (await redis.GetDatabase().KeyTypeAsync(key) != RedisType.Hash) continue;
            foreach (var field in await redis.GetDatabase().HashGetAllAsync(key)) dump.AppendLine(Encoding.Latin1.GetString(field.Value!));
        }

        return dump.ToString();
    }
}
