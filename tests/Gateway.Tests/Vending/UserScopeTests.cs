using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class UserScopeTests
{
    private static void PerUser(JsonObject settings) => settings["IotCredentials"]!["Profiles"]!["default"]!["Scope"] = "User";

    private static Task<Response> VendAsync(World world, RunningGateway gateway, string subject, TimeSpan? lifetime = null) => gateway.SendAsync(
        Requests.CredentialsPath("o-acme"),
        world.Issuer.Issue(new TokenRequest { Subject = subject, Organizations = new[] { "o-acme" }, Expires = lifetime ?? TimeSpan.FromHours(8) }));

    [Fact]
    public async Task Each_caller_has_a_session_of_its_own_named_after_it()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(PerUser);

        var alice = await VendAsync(world, gateway, "alice");
        var bob = await VendAsync(world, gateway, "bob");
        var aliceAgain = await VendAsync(world, gateway, "alice");

        Assert.Equal([200, 200, 200], new[] { alice, bob, aliceAgain }.Select(answer => answer.Status));
        Assert.Equal(alice.AccessKeyId, aliceAgain.AccessKeyId);
        Assert.NotEqual(alice.AccessKeyId, bob.AccessKeyId);
        var inputs = world.Aws.Calls.Snapshot().Where(call => call.Action == "AssumeRole").Select(call => call.AssumeRole!).ToList();
        Assert.Equal(2, inputs.Count);
        Assert.StartsWith("alice,,http", inputs[0].RoleSessionName, StringComparison.Ordinal);
        Assert.All(inputs, input => Assert.Equal(input.RoleSessionName, input.SourceIdentity));
    }

    [Theory]
    [InlineData(5, 900)]
    [InlineData(16, 1800)]
    [InlineData(40, 2700)]
    [InlineData(600, 3600)]
    public async Task A_session_outlives_its_callers_token_by_no_more_than_a_quarter_of_an_hour(int minutes, int duration)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(PerUser);

        var answer = await VendAsync(world, gateway, "alice", TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(1));

        Assert.True(answer.Status == 200, answer.Body + gateway.Log.Text);
        Assert.Equal(duration, Assert.Single(world.Aws.Calls.Snapshot(), call => call.Action == "AssumeRole").AssumeRole!.DurationSeconds);
        Assert.True(LifetimeTests.Expiration(answer) <= DateTimeOffset.UtcNow.AddMinutes(minutes + 15));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_answer_leaves_an_audit_event_and_no_secret(bool perUser)
    {
        await using var world = await World.StartAsync();
        var (one, two) = (await world.StartGatewayAsync(Scoped), await world.StartGatewayAsync(Scoped));

        var answers = new[]
        {
            await VendAsync(world, one, "alice"), await VendAsync(world, one, "alice"),
            await VendAsync(world, two, "alice"), await VendAsync(world, two, "alice"),
        };

        // The event follows the response.
        await one.Log.WaitForAsync(LogLevel.Information, "outcome L1");
        await two.Log.WaitForAsync(LogLevel.Information, "outcome L1");
        var trail = one.Log.Text + '\n' + two.Log.Text;
        var events = trail.Split('\n').Where(text => text.Contains("IotCredentials.Audit", StringComparison.Ordinal)).ToList();
        Assert.Equal(["Sts", "L1", "Redis", "L1"], events.Select(line => line.Split("outcome ")[1].Split(' ')[0]));
        foreach (var line in events)
        {
            foreach (var part in new[]
            {
                $"issuer {world.Issuer.Issuer} ", "subject alice ", "organization o-acme ", "profile default ", $"accessKeyId {answers[0].AccessKeyId} ",
            })
                Assert.Contains(part, line, StringComparison.Ordinal);
            Assert.Matches("delivered True trace [0-9a-f]{32}", line);
        }

        foreach (var issued in world.Aws.Calls.Snapshot().Select(call => call.Issued).OfType<AwsCredentials>())
        {
            Assert.DoesNotContain(issued.SecretAccessKey, trail, StringComparison.Ordinal);
            Assert.DoesNotContain(issued.SessionToken!, trail, StringComparison.Ordinal);
        }

        void Scoped(JsonObject settings)
        {
            if (perUser) PerUser(settings);
        }
    }

    [Fact]
    public async Task A_subject_cannot_begin_a_line_of_the_trail()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync();

        Assert.Equal(200, (await VendAsync(world, gateway, "eve\nVended: issuer x")).Status);

        await gateway.Log.WaitForAsync(LogLevel.Information, ": Vended: issuer");
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, ": Vended: issuer"));
        Assert.DoesNotContain("eve\n", gateway.Log.Text, StringComparison.Ordinal);
    }
}
