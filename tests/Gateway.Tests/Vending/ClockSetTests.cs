using Gateway.Telemetry;
using Gateway.Tests.Authentication;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>The machine's clock is set while the gateway runs, by NTP or after a pause of a virtual machine.</summary>
public sealed class ClockSetTests : IAsyncLifetime
{
    private const string Path = "/organizations/o-acme/x";

    private readonly SettableClock _clock = new();
    private World _world = null!;

    public static TheoryData<TimeSpan> Steps => [TimeSpan.FromHours(-1), TimeSpan.FromHours(1)];

    public async ValueTask InitializeAsync() => _world = await World.StartAsync(_clock);

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task An_address_is_locked_out_for_the_window(TimeSpan step)
    {
        var gateway = await _world.StartGatewayAsync(static settings => settings.WithoutRedis()
            .Set("Edge:FailedAuthentications", """{ "PermitLimit": 1, "Window": "00:01:00" }"""));
        Assert.Equal(401, (await gateway.SendAsync(Path, "x.y.z")).Status);

        _clock.Set = step;

        Assert.Equal(429, (await gateway.SendAsync(Path, _world.Token("o-acme"))).Status);
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(200, (await gateway.SendAsync(Path, _world.Token("o-acme"))).Status);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_revoked_token_stops_within_CacheFor(TimeSpan step)
    {
        var secret = new SecretFile();
        var gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis()
            .AddIntrospection(_world.Issuer, secret, """{ "Accepts": ["Bearer"], "CacheFor": "00:00:30" }"""));
        var token = _world.Issuer.IssueOpaque(new() { Organizations = (string[])["o-acme"], Expires = null });
        Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);

        _clock.Set = step;
        _world.Issuer.Opaque.TryRemove(token, out _);
        _clock.Advance(TimeSpan.FromSeconds(30));

        Assert.Equal(401, (await gateway.SendAsync(Path, token)).Status);
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task A_failed_vend_is_repeated_after_its_Retry_After(TimeSpan step)
    {
        var gateway = await _world.StartGatewayAsync(static settings => settings.WithoutRedis());
        using (_world.Aws.Inject(AwsFault.HttpStatus(500), "AssumeRole")) Assert.Equal(503, (await gateway.VendAsync("o-acme")).Status);

        _clock.Set = step;
        _clock.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
    }

    [Fact]
    public async Task Credentials_that_seem_to_live_longer_after_the_clock_is_set_back_are_not_vended()
    {
        var gateway = await _world.StartGatewayAsync(static settings => settings.WithoutRedis());
        var before = await gateway.VendAsync("o-acme");

        // Clocks of replicas differ by as much.
        _clock.Set = TimeSpan.FromMinutes(-2);
        Assert.Equal(before.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
        _clock.Set = TimeSpan.FromHours(-1);

        var after = await gateway.VendAsync("o-acme");
        Assert.NotEqual(before.AccessKeyId, after.AccessKeyId);
        Assert.Equal(after.AccessKeyId, (await gateway.VendAsync("o-acme")).AccessKeyId);
    }

    [Fact]
    public async Task Replicas_share_what_is_vended_after_the_clock_is_set_back()
    {
        var (one, two) = (await _world.StartGatewayAsync(), await _world.StartGatewayAsync());
        var before = await one.VendAsync("o-acme");
        Assert.Equal(before.AccessKeyId, (await two.VendAsync("o-acme")).AccessKeyId);

        _clock.Set = TimeSpan.FromHours(-1);

        var after = await one.VendAsync("o-acme");
        Assert.NotEqual(before.AccessKeyId, after.AccessKeyId);
        Assert.Equal(after.AccessKeyId, (await two.VendAsync("o-acme")).AccessKeyId);
        Assert.Equal(2, _world.Aws.Count("AssumeRole"));
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void A_repeated_line_is_due_again_after_a_minute(TimeSpan step)
    {
        var lines = new RepeatedLines<string>(10, _clock);
        Assert.True(lines.IsDue("a", "rest", out _));

        _clock.Set = step;

        Assert.False(lines.IsDue("a", "rest", out _));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(lines.IsDue("a", "rest", out var leftOut));
        Assert.Equal(1, leftOut);
    }
}
