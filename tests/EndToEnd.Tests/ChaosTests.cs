using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Three replicas, two of them with their clocks a minute off, under load while Redis is killed, demoted, paused, filled up, its entries are overwritten and
/// swapped, locks are planted and marks deleted, at random. <c>CHAOS_SEED</c> tries others, <c>CHAOS_SECONDS</c> makes it longer.
/// </summary>
[Trait("Category", "Redis")]
[Collection(LoadTests.Name)]
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const int Organizations = 20;
    private const int Callers = 6;
    private const int LeastResponses = 100;
    private static readonly TimeSpan s_floor = TimeSpan.FromMinutes(10);

    public static TheoryData<string, string> Runs =>
        [.. RedisTopology.Names.SelectMany(static name => new[] { (name, "sessions are renewed every 3 s"), (name, "sessions last") })];

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task Whatever_becomes_of_Redis_nobody_gets_another_organizations_credentials_or_short_lived_ones_or_an_error(string topology, string sessions)
    {
        var seed = Seed.Of("CHAOS_SEED");
        output.WriteLine($"{seed}, {topology}, {sessions}");
        var random = seed.NewRandom();
        await using var world = await World.StartAsync();
        await using var redis = await RedisTopology.StartAsync(topology);
        var renews = !sessions.EndsWith("last", StringComparison.Ordinal);
        var gateways = new List<RunningGateway>();
        foreach (var clock in new[] { 0, 60, -60 }) gateways.Add(await StartAsync(world, redis, TimeSpan.FromSeconds(clock), renews));
        var tokens = Enumerable.Range(0, Organizations).Select(i => world.Token($"o-{i}")).ToArray();
        foreach (var gateway in gateways)
            for (var i = 0; i < Organizations / 2; i++) Assert.Equal(200, (await gateway.VendAsync($"o-{i}")).Status);

        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(Setting("CHAOS_SECONDS", 5)));
        var (fault, responses) = ("none", 0);
        var times = new ConcurrentDictionary<string, ConcurrentBag<double>>();
        var wrong = new ConcurrentQueue<string>();
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var mine = seed.NewRandom(caller + 1);
            while (!end.IsCancellationRequested || Volatile.Read(ref responses) < LeastResponses)
            {
                var (gateway, organization) = (gateways[mine.Next(gateways.Count)], mine.Next(Organizations));
                var (during, begun) = (Volatile.Read(ref fault), Stopwatch.GetTimestamp());
                var answer = await gateway.SendAsync(Requests.CredentialsPath($"o-{organization}"), tokens[organization]);
                Interlocked.Increment(ref responses);
                times.GetOrAdd(during, _ => []).Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                if (WrongWith(world, answer, $"o-{organization}") is { } what) wrong.Enqueue($"{during}: {what}");
                // Callers that never rest would starve the faults and whatever runs beside.
                await Task.Delay(TimeSpan.FromMilliseconds(5));
            }
        })).ToList();

        var strikes = 0;
        var recoveries = new List<string>();
        for (var faults = FaultsOf(topology); !end.IsCancellationRequested; strikes++)
        {
            var name = faults[random.Next(faults.Count)];
            Volatile.Write(ref fault, name);
            await StrikeAsync(world, redis, gateways[0], name, TimeSpan.FromMilliseconds(random.Next(200, 2500)), end.Token);
            var begun = Stopwatch.GetTimestamp();
            await SharesAgainAsync(redis, gateways, $"o-fresh{strikes}x");
            recoveries.Add($"{name} {Stopwatch.GetElapsedTime(begun).TotalSeconds:F1} s");
            await redis.SettleAsync();
        }

        await Task.WhenAll(callers);
        output.WriteLine($"replicas share again after {string.Join(", ", recoveries)}");
        foreach (var (name, measured) in times.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var sorted = measured.Order().ToList();
            output.WriteLine(
                $"{name}: {sorted.Count} answers, p50 {sorted[sorted.Count / 2]:F1} ms, p99 {sorted[sorted.Count * 99 / 100]:F1} ms, "
                + $"slowest {sorted[^1]:F1} ms");
        }

        var calls = Enumerable.Range(0, Organizations).Select(i => world.Aws.Calls.Count(call => call.AssumeRole?.RoleSessionName == $"o-{i}")).ToList();
        output.WriteLine($"{strikes} strikes; AssumeRole: {calls.Sum()} for {Organizations} organizations, at most {calls.Max()} for one");
        Assert.Empty(wrong);
        // Half of the organizations were known to every replica from the start. The others take a call in each if Redis is lost when they are first asked for.
        if (!renews) Assert.All(calls, (count, i) => Assert.InRange(count, 0, (i < Organizations / 2 ? 1 : gateways.Count) + strikes));
    }

    private static List<string> FaultsOf(string topology) =>
    [
        "nothing", "killed", "paused", "garbage", "swapped", "locks planted", "marks deleted",
        .. topology == RedisTopology.OneServer ? ["restarted empty"] : (string[])["demoted"],
        .. RedisServer.IsReal ? (string[])["full"] : [],
    ];

    private static Task<RunningGateway> StartAsync(World world, RedisTopology redis, TimeSpan clockOff, bool renews) => world.StartGatewayAsync(
        settings =>
        {
            settings["ConnectionStrings"]!["Redis"] = redis.ConnectionString;
            var module = settings["IotCredentials"]!;
            module["Sts"] = new JsonObject { ["PermitsPerSecond"] = 10_000, ["MaxConcurrent"] = 1_000 };
            if (renews)
            {
                // Within the run, many times.
                module["Profiles"]!["default"]!["RefreshAfter"] = "00:00:03";
                module["Profiles"]!["default"]!["SessionDuration"] = "00:15:00";
                module["Profiles"]!["default"]!["MinimumLifetime"] = s_floor.ToString();
            }

            settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("platform-operator") };
            settings["Management"]!["AuthorizationPolicy"] = "Operators";
            // A failure prints what became of Redis.
            settings["AccessLog"] = new JsonObject { ["Enabled"] = false };
            settings["AuditLog"] = new JsonObject { ["Enabled"] = false };
            settings["Logging"]!["LogLevel"]!["Default"] = "Error";
            settings["Logging"]!["LogLevel"]!["IotCredentials.Redis"] = "Information";
        },
        services => services.AddSingleton<TimeProvider>(new ClockOff(clockOff)));

    // What one replica vends to an organization that nobody asked for before, another has from Redis.
    private static async Task SharesAgainAsync(RedisTopology redis, List<RunningGateway> gateways, string organizations)
    {
        var i = 0;
        await Eventually.IsTrueAsync(
            async () =>
        {
            await redis.MendAsync();
            var answers = new List<string>();
            foreach (var gateway in gateways) answers.Add((await gateway.VendAsync($"{organizations}{i}")).AccessKeyId);
            i++;
            return answers.Distinct().Count() == 1;
        }, () => string.Join("\n\n", gateways.Select(static gateway => gateway.Log.Text)));
    }

    private static string? WrongWith(World world, Response answer, string organization)
    {
        if (answer.Status != 200) return $"{organization}: {answer.Status} {answer.Body}";
        var issued = world.Aws.Calls.Snapshot().FirstOrDefault(call => call.Issued?.AccessKeyId == answer.AccessKeyId);
        if (issued?.AssumeRole?.RoleSessionName != organization) return $"{organization}: got credentials of {issued?.AssumeRole?.RoleSessionName}";
        var life = answer.Credentials.GetProperty("expiration").GetDateTimeOffset() - DateTimeOffset.UtcNow;
        return life >= s_floor ? null : $"{organization}: lives {life}";
    }

    private static async Task StrikeAsync(World world, RedisTopology redis, RunningGateway gateway, string fault, TimeSpan span, CancellationToken end)
    {
        switch (fault)
        {
            case "killed" or "restarted empty" or "paused":
                var server = await redis.PrimaryAsync();
                if (fault == "paused") server.Pause();
                else await server.KillAsync();
                if (fault != "restarted empty") await PassAsync(span, end);
                if (fault == "paused") server.Resume();
                else await server.RestartAsync();
                break;
            case "demoted":
                await redis.FailOverAsync();
                break;
            case "full":
                foreach (var node in redis.Servers) await node.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
                await PassAsync(span, end);
                foreach (var node in redis.Servers) await node.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
                break;
            case "nothing":
                await PassAsync(span, end);
                break;
            default:
                // A busy machine meets these timeouts.
                const string Options = ",allowAdmin=true,syncTimeout=60000,asyncTimeout=60000,connectTimeout=60000";
                await using (var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString + Options))
                    await SpoilAsync(connection, world, gateway, fault);
                await PassAsync(span, end);
                break;
        }
    }

    private static async Task SpoilAsync(ConnectionMultiplexer redis, World world, RunningGateway gateway, string fault)
    {
        var database = redis.GetDatabase();
        if (fault == "marks deleted")
        {
            var token = world.Issuer.Issue(new Sandbox.TokenRequest { Roles = ["platform-operator"] });
            await world.Client.SendAsync($"{gateway.ManagementUrl}/organizations/o-0/credentials", token, "DELETE");
            await database.KeyDeleteAsync(world.KeyPrefix + "forgotten");
            return;
        }

        var entries = world.KeyPrefix + "v2:";
        var keys = redis.GetServers().Where(static server => server is { IsConnected: true, IsReplica: false })
            .SelectMany(server => server.Keys(pattern: entries + "*")).Select(static key => (string)key!).ToArray();
        if (fault == "locks planted")
        {
            // One that ends soon, one by a clock that is a minute behind, one that does not end.
            TimeSpan?[] lives = [TimeSpan.FromSeconds(1.8), TimeSpan.FromSeconds(61.8), null];
            for (var i = 0; i < keys.Length; i++)
            {
                var key = (RedisKey)$"{world.KeyPrefix}lock:{keys[i][entries.Length..].Split('.')[0]}";
                if (lives[i % 3] is { } life) await database.StringSetAsync(key, "planted", life);
                else await database.StringSetAsync(key, "planted");
            }

            return;
        }

        var values = await Task.WhenAll(keys.Select(key => database.HashGetAsync(key, "data")));
        for (var i = 0; i < keys.Length; i++) await database.HashSetAsync(keys[i], "data", fault == "swapped" ? values[(i + 1) % keys.Length] : "garbage");
    }

    // The faults are what takes time here, not the waiting for something to come about.
    private static async Task PassAsync(TimeSpan span, CancellationToken end)
    {
        using var timer = new PeriodicTimer(span);
        try
        {
            await timer.WaitForNextTickAsync(end);
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private sealed class ClockOff(TimeSpan off) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + off;
    }
}
