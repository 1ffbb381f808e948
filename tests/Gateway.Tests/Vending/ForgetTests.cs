using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class ForgetTests
{
    private static void Operators(JsonObject settings)
    {
        settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("platform-operator") };
        settings["Management"]!["AuthorizationPolicy"] = "Operators";
    }

    private static Task<Answer> ForgetAsync(World world, RunningGateway gateway, string organization, string? token) =>
        world.Client.SendAsync($"{gateway.ManagementUrl}/organizations/{organization}/credentials", token, "DELETE");

    private static string OperatorsToken(World world) => world.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] });

    [Fact]
    public async Task Forgotten_credentials_are_served_by_no_replica_and_another_organizations_stay()
    {
        await using var world = await World.StartAsync();
        var (one, two) = (await world.StartGatewayAsync(Operators), await world.StartGatewayAsync(Operators));
        var old = await one.VendAsync("o-acme");
        var other = await one.VendAsync("o-other");
        Assert.Equal(old.AccessKeyId, (await two.VendAsync("o-acme")).AccessKeyId);

        Assert.Equal(204, (await ForgetAsync(world, one, "o-acme", OperatorsToken(world))).Status);

        var here = await one.VendAsync("o-acme");
        var there = await LifetimeTests.UntilAsync(() => two.VendAsync("o-acme"), answer => answer.AccessKeyId != old.AccessKeyId);
        Assert.NotEqual(old.AccessKeyId, here.AccessKeyId);
        Assert.Equal(here.AccessKeyId, there.AccessKeyId);
        Assert.Equal(here.AccessKeyId, (await two.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(other.AccessKeyId, (await two.VendAsync("o-other")).AccessKeyId);
    }

    [Fact]
    public async Task Who_may_forget_is_who_may_by_the_policy_that_is_in_force()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(Operators);
        for (var i = 0; i < 2; i++) Assert.Equal(204, (await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world))).Status);

        await gateway.ChangeAsync(settings => settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("another") });

        Assert.Equal(403, (await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world))).Status);
        Assert.Equal(204, (await ForgetAsync(world, gateway, "o-acme", world.Issuer.Issue(new TokenRequest { Roles = ["another"] }))).Status);
    }

    [Fact]
    public async Task A_replica_that_starts_afterwards_does_not_serve_them_either()
    {
        await using var world = await World.StartAsync();
        var one = await world.StartGatewayAsync(Operators);
        var old = await one.VendAsync("o-acme");
        await ForgetAsync(world, one, "o-acme", OperatorsToken(world));

        var late = await world.StartGatewayAsync(Operators);

        Assert.NotEqual(old.AccessKeyId, (await late.VendAsync("o-acme")).AccessKeyId);
    }

    [Fact]
    public async Task A_renewal_that_was_under_way_does_not_bring_the_old_ones_back()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(Operators);
        var old = await gateway.VendAsync("o-acme");
        time.Advance(TimeSpan.FromMinutes(31));
        var hang = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", times: 1);
        await gateway.VendAsync("o-acme");
        await world.Aws.Calls.WaitForAsync(call => call.Action == "AssumeRole", 2);

        Assert.Equal(204, (await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world))).Status);
        var young = await gateway.VendAsync("o-acme");
        hang.Dispose();
        await LifetimeTests.UntilAsync(() => gateway.VendAsync("o-other"), _ => world.Aws.Calls.Count(call => call.AssumeRole?.RoleSessionName == "o-acme" && call.Issued is not null) == 3);

        Assert.NotEqual(old.AccessKeyId, young.AccessKeyId);
        for (var i = 0; i < 20; i++) Assert.Equal(young.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
    }

    [Fact]
    public async Task A_failure_that_is_remembered_is_forgotten_as_well()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(Operators);
        var fault = world.Aws.Inject(AwsFault.Error("AccessDenied", 403), "AssumeRole");
        Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);
        fault.Dispose();
        Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);

        await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world));

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
    }

    [Fact]
    public async Task While_Redis_is_out_of_reach_they_are_forgotten_here_and_the_answer_is_503()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayAsync(Operators);
        var old = await gateway.VendAsync("o-acme");
        await world.Redis.KillAsync();

        var answer = await ForgetAsync(world, gateway, "o-acme", OperatorsToken(world));

        Assert.Equal(503, answer.Status);
        Assert.Equal("ServiceUnavailable", answer.Error);
        Assert.NotEqual(old.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
    }

    [Fact]
    public async Task Only_those_whom_the_named_policy_allows_may_forget_and_nobody_while_it_names_none()
    {
        await using var world = await World.StartAsync();
        var closed = await world.StartGatewayAsync();
        var open = await world.StartGatewayAsync(Operators);
        var old = await open.VendAsync("o-acme");

        Assert.Equal(401, (await ForgetAsync(world, closed, "o-acme", null)).Status);
        Assert.Equal(403, (await ForgetAsync(world, closed, "o-acme", OperatorsToken(world))).Status);
        Assert.Equal(401, (await ForgetAsync(world, open, "o-acme", null)).Status);
        Assert.Equal(401, (await ForgetAsync(world, open, "o-acme", "no.token.atall")).Status);
        Assert.Equal(403, (await ForgetAsync(world, open, "o-acme", world.Token("o-acme"))).Status);
        Assert.Equal(422, (await ForgetAsync(world, open, "acme", OperatorsToken(world))).Status);
        Assert.Equal(old.AccessKeyId, (await open.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(403, (await open.SendAsync("/organizations/o-acme/credentials", OperatorsToken(world), "DELETE")).Status);
    }
}
