using System.Diagnostics;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Three gateways, each a process of its own, before one Redis.</summary>
[Trait("Category", "Redis")]
[Collection(LoadTests.Name)]
public sealed class ReplicaTests(ITestOutputHelper output)
{
    private static void BigBudget(JsonObject settings) =>
        settings["IotCredentials"]!["Sts"] = new JsonObject { ["PermitsPerSecond"] = 10_000, ["MaxConcurrent"] = 1_000 };

    // Started, and through with compiling what a first request runs; with patience, since how fast this machine is, is not the question.
    private static async Task<GatewayProcess[]> StartAsync(World world, Action<JsonObject>? change = null)
    {
        var gateways = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => world.StartGatewayProcessAsync(settings =>
        {
            settings["IotCredentials"]!["Timeout"] = "00:00:20";
            settings["Logging"]!["LogLevel"] = new JsonObject
            {
                ["Default"] = "Warning",
                ["Microsoft.Hosting.Lifetime"] = "Information",
                ["Gateway.Management"] = "Information"
            };
            change?.Invoke(settings);
        })));
        foreach (var gateway in gateways) Assert.Equal(200, (await VendAsync(world, gateway, $"o-warm{gateway.Id}")).Status);
        world.Aws.Calls.Clear();
        return gateways;
    }

    private static Task<Response> VendAsync(World world, GatewayProcess gateway, string organization, string? token = null) =>
        world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), token ?? world.Token(organization));

    [Fact]
    public async Task Of_600_callers_at_once_on_a_cold_organization_one_makes_the_call_and_all_get_its_credentials()
    {
        await using var world = await World.StartAsync();
        var gateways = await StartAsync(world);
        var token = world.Token("o-cold");

        var answers = await Task.WhenAll(gateways.SelectMany(gateway => Enumerable.Range(0, 200).Select(_ => VendAsync(world, gateway, "o-cold", token))));

        Assert.All(answers, answer => Assert.True(answer.Status == 200, answer.Body));
        Assert.Single(answers.Select(answer => answer.Body).Distinct());
        Assert.Equal(1, world.Aws.Count("AssumeRole"));
        Assert.Equal(0, world.Aws.Count("DescribeEndpoint"));
    }

    [Fact]
    public async Task Cold_organizations_take_one_call_each_over_all_replicas()
    {
        await using var world = await World.StartAsync();
        var gateways = await StartAsync(world, BigBudget);
        var organizations = Enumerable.Range(0, Sample.Count(few: 300, all: 1000)).Select(i => $"o-{i}").ToList();
        var issued = new System.Collections.Concurrent.ConcurrentDictionary<string, string>();

        await Parallel.ForEachAsync(organizations, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (organization, _) =>
        {
            var answers = await Task.WhenAll(gateways.Select(gateway => VendAsync(world, gateway, organization, world.Token(organization))));
            Assert.All(answers, answer => Assert.True(answer.Status == 200, answer.Body));
            issued[organization] = Assert.Single(answers.Select(answer => answer.AccessKeyId).Distinct());
        });

        Assert.Equal(organizations.Count, world.Aws.Count("AssumeRole"));
        Assert.Equal(organizations.Count, issued.Values.Distinct().Count());
    }

    [Fact]
    public async Task A_replica_that_dies_with_the_turn_delays_the_others_by_two_seconds_at_most()
    {
        await using var world = await World.StartAsync();
        var gateways = await StartAsync(world);
        var machine = await Machine.MeasureAsync(
            i => Task.WhenAll(VendAsync(world, gateways[1], $"o-measured{i}"), VendAsync(world, gateways[2], $"o-measured{i}")), output.WriteLine);
        world.Aws.Inject(AwsFault.Hang(), "AssumeRole", times: 1);
        var doomed = VendAsync(world, gateways[0], "o-cold");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-cold");

        gateways[0].Signal("KILL");
        var begun = Stopwatch.StartNew();
        var answers = await Task.WhenAll(VendAsync(world, gateways[1], "o-cold"), VendAsync(world, gateways[2], "o-cold"));

        output.WriteLine($"answered {begun.Elapsed.TotalSeconds:F2} s after the replica with the turn died");
        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(answers[0].AccessKeyId, answers[1].AccessKeyId);
        Assert.Equal(2, world.Aws.Calls.Count(call => call.AssumeRole?.RoleSessionName == "o-cold"));
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, machine.Within(TimeSpan.FromSeconds(4)));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => doomed);
    }

    [Fact]
    public async Task With_Redis_gone_it_is_one_call_a_replica()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateways = await StartAsync(world);
        await world.Redis.KillAsync();

        var answers = await Task.WhenAll(gateways.SelectMany(gateway => Enumerable.Range(0, 50).Select(_ => VendAsync(world, gateway, "o-cold"))));

        Assert.All(answers, answer => Assert.True(answer.Status == 200, answer.Body));
        Assert.Equal(3, world.Aws.Calls.Count(call => call.AssumeRole?.RoleSessionName == "o-cold"));
    }

    [Fact]
    public async Task A_storming_caller_starves_nobody_else()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(settings =>
        {
            settings["IotCredentials"]!["Timeout"] = "00:00:05";
            settings["IotCredentials"]!["Sts"] = new JsonObject { ["PermitsPerSecond"] = 5, ["MaxConcurrent"] = 5 };
        });
        var organizations = Enumerable.Range(0, 300).Select(i => $"o-storm{i}").ToArray();
        var storm = world.Issuer.Issue(new TokenRequest { Subject = "storm", Organizations = organizations });
        var calm = world.Issuer.Issue(new TokenRequest { Subject = "calm", Organizations = new[] { "o-calm" } });
        await VendAsync(world, gateway, "o-calm", calm);
        var storming = organizations.Select(organization => VendAsync(world, gateway, organization, storm)).ToList();
        await world.Aws.Calls.WaitForAsync(call => call.Action == "AssumeRole", 4);

        var begun = Stopwatch.StartNew();
        var answer = await VendAsync(
            world, gateway, "o-quiet", world.Issuer.Issue(new TokenRequest { Subject = "quiet", Organizations = new[] { "o-quiet" } }));

        output.WriteLine($"a calm caller's cold vend took {begun.Elapsed.TotalSeconds:F2} s behind 300 of another's");
        Assert.Equal(200, answer.Status);
        var outcomes = (await Task.WhenAll(storming)).GroupBy(storm => storm.Status).ToDictionary(group => group.Key, group => group.Count());
        Assert.InRange(outcomes[200], 1, 60);
        Assert.Equal(300, outcomes[200] + outcomes[503]);
    }
}
