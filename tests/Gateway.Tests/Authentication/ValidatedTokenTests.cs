using System.Security.Claims;
using Gateway.Authentication;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>A token is checked once and then known, for as long as a check would still find it good.</summary>
public sealed class ValidatedTokenTests : IDisposable
{
    private const string Path = "/organizations/o-acme/x";

    private static readonly AuthenticateResult s_good = AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(), "Platform"));
    private static readonly OpenIdConnectConfiguration s_keys = new();

    private readonly FakeTimeProvider _time = new();
    private readonly ValidatedTokens _tokens;
    private int _checks;

    public ValidatedTokenTests() => _tokens = new(_time);

    private DateTimeOffset Now => _time.GetUtcNow();

    [Fact]
    public async Task A_good_token_is_checked_once()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var (one, another) = (world.Token("o-acme"), world.Token("o-acme", "o-else"));

        for (var i = 0; i < 5; i++) Assert.Equal(200, (await gateway.SendAsync(Path, one)).Status);
        Assert.Equal(1, _checks);

        // Whose it is was found out with it.
        Assert.Equal(403, (await gateway.SendAsync("/organizations/o-else/x", one)).Status);
        Assert.Equal(200, (await gateway.SendAsync("/organizations/o-else/x", another)).Status);
        Assert.Equal(403, (await gateway.SendAsync("/organizations/o-else/x", one)).Status);
        Assert.Equal(2, _checks);
    }

    [Fact]
    public async Task A_refused_token_is_checked_each_time()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var stolen = world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = SigningKey.CreateRsa() });

        for (var i = 1; i <= 3; i++)
        {
            Refusal.IsUnauthenticated(await gateway.SendAsync(Path, stolen), tokenSent: true);
            Assert.Equal(i, _checks);
        }
    }

    [Fact]
    public async Task Nothing_but_the_token_itself_is_known()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var good = world.Token("o-acme");
        Assert.Equal(200, (await gateway.SendAsync(Path, good)).Status);

        var end = good[^1] == 'A' ? 'Q' : 'A';
        foreach (var forged in (string[])[good[..^1] + end, good[..^1], good + "A", good + "=", good.ToUpperInvariant(), $"{good},{good}", good[..(good.LastIndexOf('.') + 1)]])
            Refusal.IsUnauthenticated(await gateway.SendAsync(Path, forged), tokenSent: true);
        Refusal.IsUnauthenticated(
            await gateway.SendAsync(Path, change: request => request.Headers.TryAddWithoutValidation("Authorization", (string[])[$"Bearer {good}", $"Bearer {good}"])), tokenSent: true);
        Assert.Equal(200, (await gateway.SendAsync(Path, good)).Status);
    }

    [Fact]
    public async Task A_withdrawn_key_is_refused_with_the_request_that_finds_it_gone()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var token = world.Token("o-acme");
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);
        world.Issuer.RotateKeys();
        world.Issuer.WithdrawOldKeys();
        Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);
        var (reads, checks) = (world.Issuer.KeySetRequests, _checks);

        // What the passing of time does: the next request reads the keys anew, and is the first that a gateway without any memory would refuse.
        gateway.Services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get("Platform").ConfigurationManager!.RequestRefresh();

        Refusal.IsUnauthenticated(await gateway.SendAsync(Path, token), tokenSent: true);
        Assert.InRange(world.Issuer.KeySetRequests - reads, 1, 2);
        Assert.Equal(checks + 1, _checks);
    }

    [Fact]
    public async Task Keys_that_were_read_anew_and_are_the_same_cost_a_check_and_no_more()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var token = world.Token("o-acme");
        Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);

        gateway.Services.GetRequiredService<IOptionsMonitor<JwtBearerOptions>>().Get("Platform").ConfigurationManager!.RequestRefresh();
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);

        Assert.Equal(2, _checks);
    }

    [Fact]
    public void It_is_known_from_its_beginning_to_its_end()
    {
        var key = Add("a", from: TimeSpan.FromSeconds(10), until: TimeSpan.FromSeconds(60));

        Assert.Null(_tokens.Find(key));
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.NotNull(_tokens.Find(key));
        _time.Advance(TimeSpan.FromSeconds(49.9));
        Assert.NotNull(_tokens.Find(key));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Null(_tokens.Find(key));
    }

    [Fact]
    public void It_is_known_for_five_minutes_at_the_most()
    {
        var key = Add("a", from: TimeSpan.Zero, until: TimeSpan.FromHours(1));

        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        Assert.NotNull(_tokens.Find(key));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(_tokens.Find(key));
    }

    [Fact]
    public void One_that_has_ended_is_not_kept_for_the_tolerance_of_clocks()
    {
        Add("a", from: TimeSpan.FromMinutes(-5), until: TimeSpan.FromSeconds(-1));

        Assert.Equal(0, _tokens.Count);
    }

    [Fact]
    public void What_one_scheme_found_says_nothing_to_another()
    {
        var key = Add("a", from: TimeSpan.Zero, until: TimeSpan.FromMinutes(1));

        Assert.NotNull(_tokens.Find(TokenKey.Of("Platform", "a")));
        Assert.Null(_tokens.Find(key with { Scheme = "Partner" }));
        Assert.Null(_tokens.Find(TokenKey.Of("Platform", "b")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(682)]
    [InlineData(683)]
    [InlineData(30_000)]
    public void Keys_of_any_length_tell_tokens_apart_by_their_last_character(int length)
    {
        var token = new string('a', length);

        Assert.Equal(TokenKey.Of("", token + "x"), TokenKey.Of("", token + "x"));
        Assert.NotEqual(TokenKey.Of("", token + "x"), TokenKey.Of("", token + "y"));
    }

    [Fact]
    public void No_more_are_known_than_there_is_room_for_and_newcomers_find_some()
    {
        const int Most = 100;
        using var tokens = new ValidatedTokens(_time, Most);

        for (var i = 0; i < 10 * Most; i++)
        {
            Add($"{i}", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens);
            Assert.InRange(tokens.Count, 0, Most);
        }

        // Room is made behind the requests.
        Assert.True(SpinWait.SpinUntil(() => tokens.Find(Add("last", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens)) is not null, TimeSpan.FromSeconds(30)));
    }

    public void Dispose() => _tokens.Dispose();

    private TokenKey Add(string token, TimeSpan from, TimeSpan until, ValidatedTokens? tokens = null)
    {
        var key = TokenKey.Of("Platform", token);
        (tokens ?? _tokens).Add(key, s_good, new CallerIdentity(new ClaimsIdentity())
        {
            Scheme = "Platform",
            Issuer = "https://id.example.com",
            Subject = "alice",
            NotBefore = Now + from,
            ExpiresAt = Now + until,
            Organizations = [],
            Roles = [],
            Scopes = [],
        }, s_keys);
        return key;
    }

    private Task<RunningGateway> StartAsync(World world) => world.StartGatewayAsync(
        settings => settings.WithoutRedis(),
        services => services.CountChecks(() => Interlocked.Increment(ref _checks)));
}
