using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Three gateways, each a process of its own, under load while a primary is killed and a replica takes its place.</summary>
[Trait("Category", "Redis")]
[Collection(LoadTests.Name)]
public sealed class RedisFailoverTests(ITestOutputHelper output)
{
    private const int Organizations = 24;
    private const int Callers = 6;

    /// <summary>So many new organizations in a row are shared when every part of a cluster works again.</summary>
    private const int Enough = 20;

    // Garnet has no replicas: it is killed and started again.
    public static TheoryData<string> Topologies =>
        RedisServer.IsReal ? [RedisTopology.Sentinel, RedisTopology.Cluster, RedisTopology.TlsCluster] : [RedisTopology.OneServer];

    [Theory]
    [MemberData(nameof(Topologies))]
    public async Task When_a_primary_is_killed_under_load_no_response_is_wrong_or_fails_and_no_organization_takes_more_than_one_call_more(string topology)
    {
        await using var world = await World.StartAsync();
        await using var redis = await RedisTopology.StartAsync(topology);
        var gateways = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StartAsync(world, redis)));
        await SharedAsync(world, gateways, "o-before");
        var tokens = Enumerable.Range(0, Organizations).Select(i => world.Token($"o-{i}")).ToArray();

        using var end = new CancellationTokenSource();
        var (responses, phase) = (new ConcurrentQueue<(string Phase, string Organization, Response Response)>(), "before");
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var random = new Random(caller);
            while (!end.IsCancellationRequested)
            {
                var (organization, during) = (random.Next(Organizations), Volatile.Read(ref phase));
                var gateway = gateways[random.Next(gateways.Length)];
                responses.Enqueue((during, $"o-{organization}", await VendAsync(world, gateway, $"o-{organization}", tokens[organization])));
                // Callers that never rest would starve the failover.
                await Task.Delay(TimeSpan.FromMilliseconds(10));
            }
        })).ToList();
        await AnsweredAsync("before");

        Volatile.Write(ref phase, "during");
        var killed = await redis.PrimaryAsync();
        await killed.KillAsync();
        var begun = Stopwatch.GetTimestamp();
        if (topology == RedisTopology.OneServer) await killed.RestartAsync();
        var newcomers = await SharedAsync(world, gateways, "o-during");
        var recovery = Stopwatch.GetElapsedTime(begun);
        await AnsweredAsync("during");

        Volatile.Write(ref phase, "after");
        if (topology != RedisTopology.OneServer) await killed.RestartAsync();
        await redis.SettleAsync();
        await SharedAsync(world, gateways, "o-after");
        foreach (var gateway in gateways)
        {
            await Eventually.IsTrueAsync(
                async () => await SharedRedis.ReadinessAsync(world, gateway.ManagementUrl) == "Healthy", () => SharedRedis.Output(gateways));
        }

        await AnsweredAsync("after");
        await end.CancelAsync();
        await Task.WhenAll(callers);

        var issued = world.Aws.Calls.Snapshot().Where(call => call.Issued is not null)
            .ToDictionary(call => call.Issued!.AccessKeyId, call => call.AssumeRole?.RoleSessionName);
        var failed = responses.Where(one => one.Response.Status != 200).ToList();
        var wrong = responses.Where(one => one.Response.Status == 200 && issued.GetValueOrDefault(one.Response.AccessKeyId) != one.Organization).ToList();
        var calls = issued.Values.CountBy(session => session!).ToDictionary();
        var known = Enumerable.Range(0, Organizations).Select(i => calls[$"o-{i}"]).ToList();
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{topology}: all three replicas shared every new organization again {recovery.TotalSeconds:F1} s after the kill"));
        output.WriteLine(
            $"{string.Join(", ", responses.CountBy(one => one.Phase).Select(count => $"{count.Value} responses {count.Key}"))}: {wrong.Count} wrong, "
            + $"{failed.Count} failed; AssumeRole: {known.Sum()} for {Organizations} organizations, at most {known.Max()} for one");
        output.WriteLine(
            $"{newcomers.Count} organizations that were first asked for during the failover, at all replicas: "
            + $"{newcomers.Count(one => calls[one] > 1)} took more than one AssumeRole");
        Assert.True(failed.Count == 0, string.Join('\n', failed.Select(static one => $"{one.Phase} {one.Organization}: {one.Response.Body}")));
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Select(static one => $"{one.Phase} {one.Organization}: {one.Response.AccessKeyId}")));
        // Without a failure it is one.
        Assert.All(known, count => Assert.InRange(count, 1, 2));
        // A replica that cannot reach Redis calls for itself.
        Assert.All(newcomers, organization => Assert.InRange(calls[organization], 1, gateways.Length));

        Task AnsweredAsync(string during)
        {
            // Each organization at each replica, on average a few times.
            return Eventually.IsTrueAsync(() => responses.Count(one => one.Phase == during) > Organizations * gateways.Length * 5);
        }
    }

    /// <summary>
    /// Waits until what one replica vends to a new organization is what the others return, for many organizations in a row. Returns all of them.
    /// </summary>
    private static async Task<List<string>> SharedAsync(World world, GatewayProcess[] gateways, string prefix)
    {
        var (organizations, inARow) = (new List<string>(), 0);
        await Eventually.IsTrueAsync(
            async () =>
            {
                var organization = $"{prefix}{organizations.Count}";
                organizations.Add(organization);
                var keys = new List<string>();
                foreach (var gateway in gateways)
                {
                    var response = await VendAsync(world, gateway, organization, world.Token(organization));
                    if (response.Status != 200) Assert.Fail($"{response.Status} {response.Body}\n{gateway.Output}");
                    keys.Add(response.AccessKeyId);
                }

                inARow = keys.Distinct().Count() == 1 ? inARow + 1 : 0;
                return inARow == Enough;
            },
            () => SharedRedis.Output(gateways));
        return organizations;
    }

    private static Task<GatewayProcess> StartAsync(World world, RedisTopology redis) => world.StartGatewayProcessAsync(
        settings =>
        {
            settings["ConnectionStrings"]!["Redis"] = redis.ConnectionString;
            settings["IotCredentials"]!["Sts"] = new JsonObject { ["PermitsPerSecond"] = 10_000, ["MaxConcurrent"] = 1_000 };
        },
        redis.Environment);

    private static Task<Response> VendAsync(World world, GatewayProcess gateway, string organization, string token) =>
        world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), token);
}
