using System.Collections.Frozen;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Gateway.Authentication;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>A token is checked once and then known, for as long as a check would still find it good.</summary>
public sealed class ValidatedTokenTests
{
    private const string Path = "/organizations/o-acme/x";

    private static readonly AuthenticateResult s_good = AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(), "Platform"));
    private static readonly OpenIdConnectConfiguration s_keys = new();

    private readonly FakeTimeProvider _time = new();
    private readonly ValidatedTokenCache _tokens;
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
    public async Task A_refused_token_is_checked_once_under_the_same_keys()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var stolen = world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = SigningKey.CreateRsa(), KeyId = world.Issuer.CurrentKey.KeyId });

        for (var i = 0; i < 3; i++)
        {
            ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync(Path, stolen), tokenSent: true);
            Assert.Equal(1, _checks);
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
        foreach (var forged in (string[])
            [good[..^1] + end, good[..^1], good + "A", good + "=", good.ToUpperInvariant(), $"{good},{good}", good[..(good.LastIndexOf('.') + 1)]])
            ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync(Path, forged), tokenSent: true);
        ErrorResponseAssert.IsUnauthenticated(
            await gateway.SendAsync(
                Path, change: request => request.Headers.TryAddWithoutValidation("Authorization", (string[])[$"Bearer {good}", $"Bearer {good}"])),
            tokenSent: true);
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

        // What the passing of time does.
        await gateway.KeysOf("Platform").FetchAsync();

        ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync(Path, token), tokenSent: true);
        Assert.InRange(world.Issuer.KeySetRequests - reads, 1, 2);
        // No key has its key id, so there is nothing to check it with.
        Assert.Equal(checks, _checks);
    }

    [Theory]
    [InlineData("word by word")]
    [InlineData("in another order")]
    [InlineData("beside another member")]
    public async Task Keys_that_were_fetched_and_are_the_same_cost_no_check(string how)
    {
        await using var world = await World.StartAsync();
        world.Issuer.RotateKeys();
        var gateway = await StartAsync(world);
        var token = world.Token("o-acme");
        Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);

        if (how != "word by word") world.Issuer.KeySetText = keys => new JsonObject
        {
            ["generated"] = how.EndsWith("member", StringComparison.Ordinal) ? 1 : null,
            ["keys"] = new JsonArray([.. (how.EndsWith("order", StringComparison.Ordinal) ? keys.Reverse() : keys).Select(key => key!.DeepClone())]),
        }.ToJsonString();
        await gateway.KeysOf("Platform").FetchAsync();
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await gateway.SendAsync(Path, token)).Status);

        Assert.Equal(1, _checks);
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
        var tokens = new ValidatedTokenCache(_time, Most * Caller("Platform", TimeSpan.Zero, TimeSpan.FromMinutes(1)).Size);

        for (var i = 0; i < 10 * Most; i++)
        {
            var newcomer = Add($"{i}", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens);
            Assert.InRange(tokens.Count, 0, Most);
            Assert.NotNull(tokens.Find(newcomer));
        }
    }

    [Fact]
    public void S2_many_and_long_tokens_of_one_issuer_leave_the_others_theirs()
    {
        const long MostBytes = 4_000_000;
        var tokens = new ValidatedTokenCache(_time, MostBytes);
        TokenKey[] others = [.. Enumerable.Range(0, 200).Select(i => Add($"{i}", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens, "Partner"))];

        for (var i = 0; i < 5_000; i++)
        {
            Add($"{i}", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens, organizations: [.. Enumerable.Range(0, i % 300).Select(n => $"o-{i}-{n}")]);
            Assert.InRange(tokens.Bytes, 0, MostBytes);
        }

        Assert.All(others, other => Assert.NotNull(tokens.Find(other)));
        Assert.InRange(tokens.Count, 300, 5_200);
    }

    [Fact]
    public void S2_tokens_that_are_used_outlast_those_that_are_not()
    {
        var tokens = new ValidatedTokenCache(_time, 200 * Caller("Platform", TimeSpan.Zero, TimeSpan.FromMinutes(1)).Size);
        var used = Add("used", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens);

        for (var i = 0; i < 2_000; i++)
        {
            Add($"{i}", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens);
            Assert.NotNull(tokens.Find(used));
        }
    }

    [Fact]
    public void S2_a_token_that_would_push_out_a_hundred_others_is_not_kept()
    {
        var tokens = new ValidatedTokenCache(_time, 1_000_000);

        Add("big", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens, organizations: [.. Enumerable.Range(0, 200).Select(n => $"o-{n}")]);

        Assert.Equal(0, tokens.Count);
        Assert.Equal(0, tokens.Bytes);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_token_that_is_checked_again_takes_its_room_once(bool isUsed)
    {
        var size = Caller("Platform", TimeSpan.Zero, TimeSpan.FromHours(1)).Size;
        var tokens = new ValidatedTokenCache(_time, 200 * size);
        var others = Enumerable.Range(0, 199).Select(i => Add($"{i}", TimeSpan.Zero, TimeSpan.FromHours(1), tokens)).ToArray();

        for (var i = 0; i < 1_000; i++)
        {
            var again = Add("again", TimeSpan.Zero, TimeSpan.FromHours(1), tokens);
            if (isUsed) Assert.NotNull(tokens.Find(again));
            Assert.Equal((200, 200 * size), (tokens.Count, tokens.Bytes));
        }

        Assert.All(others, other => Assert.NotNull(tokens.Find(other)));
    }

    [Fact]
    public void S2_what_has_ended_makes_room_first()
    {
        var tokens = new ValidatedTokenCache(_time, 1_000_000);
        for (var i = 0; i < 100; i++) Add($"{i}", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens);
        _time.Advance(TimeSpan.FromMinutes(2));

        Add("next", TimeSpan.Zero, TimeSpan.FromMinutes(1), tokens);

        Assert.Equal(1, tokens.Count);
    }

    private TokenKey Add(
        string token, TimeSpan from, TimeSpan until, ValidatedTokenCache? tokens = null, string scheme = "Platform", string[]? organizations = null)
    {
        var key = TokenKey.Of(scheme, token);
        (tokens ?? _tokens).Add(key, s_good, Caller(scheme, from, until, organizations), s_keys);
        return key;
    }

    private CallerIdentity Caller(string scheme, TimeSpan from, TimeSpan until, string[]? organizations = null) =>
        new("https://id.example.com", "alice", Now + until)
        {
            Scheme = scheme,
            NotBefore = Now + from,
            Organizations = (organizations ?? []).ToFrozenSet(),
            Roles = [],
            Scopes = [],
        };

    private Task<RunningGateway> StartAsync(World world) => world.StartGatewayAsync(
        settings => settings.WithoutRedis(),
        services => services.CountChecks(() => Interlocked.Increment(ref _checks)));
}
