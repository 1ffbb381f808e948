using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>An hour's sessions, a floor of 15 minutes, renewed from 30 minutes on, unless a test says otherwise.</summary>
[Trait("Category", "Redis")]
public sealed class LifetimeTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task From_RefreshAfter_on_a_renewal_runs_behind_the_callers()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync();
        var first = await gateway.VendAsync("o-acme");
        _time.Advance(TimeSpan.FromMinutes(26));
        Assert.Equal(first.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(1, world.Aws.Count("AssumeRole"));

        // STS that never answers holds up nobody who can be served.
        var hang = world.Aws.Inject(AwsFault.Hang(), "AssumeRole");
        _time.Advance(TimeSpan.FromMinutes(5));
        for (var i = 0; i < 10; i++) Assert.Equal(first.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
        await world.Aws.Calls.WaitForAsync(call => call.Action == "AssumeRole", 2);
        Assert.Equal(2, world.Aws.Count("AssumeRole"));
        hang.Dispose();

        var second = await UntilAsync(() => gateway.VendAsync("o-acme"), answer => answer.AccessKeyId != first.AccessKeyId);
        Assert.Equal(2, world.Aws.Count("AssumeRole"));
        Assert.Equal(_time.GetUtcNow().AddHours(1), Expiration(second), TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_replica_learns_of_a_renewal_and_does_not_repeat_it()
    {
        await using var world = await World.StartAsync(_time);
        var (one, two) = (await world.StartGatewayAsync(), await world.StartGatewayAsync());
        var first = await one.VendAsync("o-acme");
        Assert.Equal(first.AccessKeyId, (await two.VendAsync("o-acme")).AccessKeyId);
        _time.Advance(TimeSpan.FromMinutes(31));

        var renewed = await UntilAsync(() => one.VendAsync("o-acme"), answer => answer.AccessKeyId != first.AccessKeyId);
        var there = await UntilAsync(() => two.VendAsync("o-acme"), answer => answer.AccessKeyId != first.AccessKeyId);

        Assert.Equal(renewed.AccessKeyId, there.AccessKeyId);
        Assert.Equal(2, world.Aws.Count("AssumeRole"));
    }

    [Fact]
    public async Task What_is_returned_lives_at_least_the_floor_and_what_was_asked_for()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync();
        await gateway.VendAsync("o-acme");

        for (var minute = 0; minute < 180; minute += 7)
        {
            var asked = (minute * 37) % 1801;
            var answer = await gateway.VendAsync("o-acme", $"?minimumLifetime={asked}");
            Assert.True(answer.Status == 200, $"minute {minute}: asked for {asked}\n{gateway.Log.Text}");
            Assert.True(
                Expiration(answer) - _time.GetUtcNow() >= TimeSpan.FromSeconds(Math.Max(asked, 900)),
                $"minute {minute}: asked for {asked}, got {Expiration(answer) - _time.GetUtcNow()}");
            _time.Advance(TimeSpan.FromMinutes(7));
        }
    }

    [Fact]
    public async Task Asking_for_more_than_what_is_left_waits_for_new_credentials()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync(settings => settings["IotCredentials"]!["Profiles"]!["default"]!["RefreshAfter"] = "00:40:00");
        var first = await gateway.VendAsync("o-acme");
        _time.Advance(TimeSpan.FromMinutes(34));

        var modest = await gateway.VendAsync("o-acme", "?minimumLifetime=1200");
        Assert.Equal(first.AccessKeyId, modest.AccessKeyId);
        _time.Advance(TimeSpan.FromMinutes(8));
        var demanding = await gateway.VendAsync("o-acme", "?minimumLifetime=1200");

        Assert.NotEqual(first.AccessKeyId, demanding.AccessKeyId);
        Assert.True(Expiration(demanding) - _time.GetUtcNow() >= TimeSpan.FromSeconds(1200));
    }

    [Fact]
    public async Task While_STS_fails_valid_credentials_are_served_down_to_a_minute_and_expired_ones_never()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync();
        var first = await gateway.VendAsync("o-acme");
        world.Aws.Inject(AwsFault.HttpStatus(500), "AssumeRole");

        _time.Advance(TimeSpan.FromMinutes(50));
        for (var i = 0; i < 20; i++) Assert.Equal(first.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "STS fails; o-acme is served"));
        Assert.Contains("outcome=\"degraded\"", (await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body);
        Assert.Equal(503, (await gateway.VendAsync("o-acme", "?minimumLifetime=60")).Status);

        _time.SetUtcNow(Expiration(first) - TimeSpan.FromSeconds(61));
        Assert.Equal(first.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);
    }

    [Fact]
    public async Task A_grant_below_the_floor_is_a_503_an_operators_error_and_asked_for_once_a_minute()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync();
        world.Aws.Inject(AwsFault.GrantOnly(TimeSpan.FromMinutes(10)), "AssumeRole");

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);
            Assert.Equal(503, (await gateway.VendAsync("o-acme", "?minimumLifetime=900")).Status);
        }

        Assert.Equal(1, world.Aws.Count("AssumeRole"));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, "below the 900 s"));

        _time.Advance(TimeSpan.FromSeconds(61));
        await gateway.VendAsync("o-acme", "?minimumLifetime=900");
        Assert.Equal(2, world.Aws.Count("AssumeRole"));
    }

    [Fact]
    public async Task A_grant_shorter_than_asked_is_served_as_long_as_it_keeps_the_floor()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync();
        world.Aws.Inject(AwsFault.GrantOnly(TimeSpan.FromMinutes(20)), "AssumeRole");

        var first = await gateway.VendAsync("o-acme");
        _time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(first.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
        _time.Advance(TimeSpan.FromMinutes(2));
        var second = await gateway.VendAsync("o-acme");

        Assert.NotEqual(first.AccessKeyId, second.AccessKeyId);
        Assert.True(Expiration(second) - _time.GetUtcNow() >= TimeSpan.FromMinutes(15));
    }

    [Fact]
    public async Task Failures_are_remembered_by_class()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync();
        await RefusedForAsync("o-denied", AwsFault.Error("AccessDenied", 403), TimeSpan.FromSeconds(29), 1);
        await RefusedForAsync("o-down", AwsFault.HttpStatus(500), TimeSpan.FromSeconds(1.9), 3);

        async Task RefusedForAsync(string organization, AwsFault fault, TimeSpan remembered, int callsOfOneTry)
        {
            var before = world.Aws.Count("AssumeRole");
            var injected = world.Aws.Inject(fault, "AssumeRole", call => call.AssumeRole!.RoleSessionName == organization);
            Assert.Equal(503, (await gateway.VendAsync(organization)).Status);
            injected.Dispose();
            _time.Advance(remembered);
            Assert.Equal(503, (await gateway.VendAsync(organization)).Status);
            Assert.Equal(callsOfOneTry, world.Aws.Count("AssumeRole") - before);
            _time.Advance(TimeSpan.FromSeconds(2));
            Assert.Equal(200, (await gateway.VendAsync(organization)).Status);
        }
    }

    [Fact]
    public async Task Throttling_backs_off_longer_each_time_and_says_for_how_long()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await world.StartGatewayAsync();
        world.Aws.Inject(AwsFault.Throttling(), "AssumeRole");
        var waits = new List<TimeSpan>();

        for (var i = 0; i < 7; i++)
        {
            var answer = await gateway.VendAsync("o-acme");
            Assert.Equal(503, answer.Status);
            waits.Add(answer.Headers.RetryAfter!.Delta!.Value);
            _time.Advance(waits[^1]);
        }

        Assert.InRange(waits[0], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        Assert.InRange(waits[^1], TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(37));
    }

    internal static DateTimeOffset Expiration(Response answer) => answer.Credentials.GetProperty("expiration").GetDateTimeOffset();

    internal static async Task<Response> UntilAsync(Func<Task<Response>> ask, Func<Response, bool> done)
    {
        Response? answer = null;
        await Eventually.IsTrueAsync(async () =>
        {
            answer = await ask();
            Assert.Equal(200, answer.Status);
            return done(answer);
        });
        return answer!;
    }
}
