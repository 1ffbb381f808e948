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
/// Three replicas, one with its clock 20 s off, under load while Redis is killed, restarted empty, paused, filled up, and its entries are
/// overwritten and swapped, at random. <c>CHAOS_SEED</c> repeats a run, <c>CHAOS_SECONDS</c> makes it longer.
/// </summary>
[Trait("Category", "Redis")]
public sealed class ChaosTests(ITestOutputHelper output)
{
    private const int Organizations = 20;
    private const int Callers = 6;
    private static readonly TimeSpan Floor = TimeSpan.FromMinutes(10);

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    [Fact]
    public async Task Whatever_becomes_of_Redis_nobody_gets_another_organizations_credentials_or_short_lived_ones_or_an_error()
    {
        var seed = Setting("CHAOS_SEED", Random.Shared.Next());
        output.WriteLine($"CHAOS_SEED={seed}");
        var random = new Random(seed);
        await using var world = await World.StartAsync(ownRedis: true);
        var gateways = new[] { await StartAsync(world, TimeSpan.Zero), await StartAsync(world, TimeSpan.FromSeconds(20)), await StartAsync(world, TimeSpan.FromSeconds(-20)) };
        var tokens = Enumerable.Range(0, Organizations).Select(i => world.Token($"o-{i}")).ToArray();
        await Task.WhenAll(gateways.Select(gateway => gateway.VendAsync("o-0")));

        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(Setting("CHAOS_SECONDS", 20)));
        var fault = "none";
        var times = new ConcurrentDictionary<string, ConcurrentBag<double>>();
        var wrong = new ConcurrentQueue<string>();
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var mine = new Random(seed + caller + 1);
            while (!end.IsCancellationRequested)
            {
                var (gateway, organization) = (gateways[mine.Next(gateways.Length)], mine.Next(Organizations));
                var (during, begun) = (Volatile.Read(ref fault), Stopwatch.GetTimestamp());
                var answer = await gateway.SendAsync(Requests.CredentialsPath($"o-{organization}"), tokens[organization]);
                times.GetOrAdd(during, _ => []).Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                if (WrongWith(world, answer, $"o-{organization}") is { } what) wrong.Enqueue($"{during}: {what}");
                // Callers that never rest would starve the faults and whatever runs beside.
                await Task.Delay(TimeSpan.FromMilliseconds(5));
            }
        })).ToList();

        while (!end.IsCancellationRequested)
        {
            var name = Faults[random.Next(Faults.Length)];
            Volatile.Write(ref fault, name);
            await StrikeAsync(world, name, TimeSpan.FromMilliseconds(random.Next(200, 2500)), end.Token);
        }

        await Task.WhenAll(callers);
        foreach (var (name, measured) in times.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            var sorted = measured.Order().ToList();
            output.WriteLine($"{name}: {sorted.Count} answers, p50 {sorted[sorted.Count / 2]:F1} ms, p99 {sorted[sorted.Count * 99 / 100]:F1} ms, slowest {sorted[^1]:F1} ms");
        }

        Assert.Empty(wrong);
        Assert.True(times.Values.Sum(measured => measured.Count) > 100);
    }

    private static string[] Faults => ["nothing", "killed", "restarted empty", "paused", "garbage", "swapped", .. RedisServer.IsReal ? (string[])["full"] : []];

    private static Task<RunningGateway> StartAsync(World world, TimeSpan clockOff) => world.StartGatewayAsync(
        settings =>
        {
            var module = settings["IotCredentials"]!;
            module["Sts"] = new JsonObject { ["PermitsPerSecond"] = 10_000, ["MaxConcurrent"] = 1_000 };
            // Sessions are renewed within the run.
            module["Profiles"]!["default"]!["RefreshAfter"] = "00:00:03";
            module["Profiles"]!["default"]!["SessionDuration"] = "00:15:00";
            module["Profiles"]!["default"]!["MinimumLifetime"] = Floor.ToString();
            settings["Logging"]!["LogLevel"]!["Default"] = "Error";
        },
        services => services.AddSingleton<TimeProvider>(new ClockOff(clockOff)));

    private static string? WrongWith(World world, Answer answer, string organization)
    {
        if (answer.Status != 200) return $"{organization}: {answer.Status} {answer.Body}";
        var issued = world.Aws.Calls.Snapshot().FirstOrDefault(call => call.Issued?.AccessKeyId == answer.AccessKeyId);
        if (issued?.AssumeRole?.RoleSessionName != organization) return $"{organization}: got credentials of {issued?.AssumeRole?.RoleSessionName}";
        var life = answer.Credentials.GetProperty("expiration").GetDateTimeOffset() - DateTimeOffset.UtcNow;
        return life >= Floor ? null : $"{organization}: lives {life}";
    }

    private static async Task StrikeAsync(World world, string fault, TimeSpan span, CancellationToken end)
    {
        switch (fault)
        {
            case "killed":
                await world.Redis.KillAsync();
                await PassAsync(span, end);
                await world.Redis.RestartAsync();
                break;
            case "restarted empty":
                await world.Redis.KillAsync();
                await world.Redis.RestartAsync();
                await PassAsync(span, end);
                break;
            case "paused":
                world.Redis.Pause();
                await PassAsync(span, end);
                world.Redis.Resume();
                break;
            case "nothing":
                await PassAsync(span, end);
                break;
            default:
                await using (var redis = await ConnectionMultiplexer.ConnectAsync(world.Redis.ConnectionString + ",allowAdmin=true"))
                    await SpoilAsync(redis, world, fault, span, end);
                break;
        }
    }

    private static async Task SpoilAsync(ConnectionMultiplexer redis, World world, string fault, TimeSpan span, CancellationToken end)
    {
        var (server, database) = (redis.GetServers()[0], redis.GetDatabase());
        if (fault == "full")
        {
            await server.ConfigSetAsync("maxmemory", "1");
            await PassAsync(span, end);
            await server.ConfigSetAsync("maxmemory", "0");
            return;
        }

        var keys = server.Keys(pattern: world.KeyPrefix + "v2:*").ToArray();
        var values = await Task.WhenAll(keys.Select(key => database.HashGetAsync(key, "data")));
        for (var i = 0; i < keys.Length; i++) await database.HashSetAsync(keys[i], "data", fault == "swapped" ? values[(i + 1) % keys.Length] : "garbage");
        await PassAsync(span, end);
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
