using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>A token of a key that the issuer may have just published is 503 until a fetch has looked for it. Only then is it 401, and counted.</summary>
public sealed class UnknownKeyTests
{
    private const int Permits = 4;
    private const string Path = "/organizations/o-acme/x";
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(1);
    private static readonly SigningKey s_stranger = SigningKey.CreateRsa();

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private bool _isHidden;
    private bool _withoutIds;

    [Theory]
    [InlineData("the issuer signs before it publishes")]
    [InlineData("a stranger's key id comes just before the key is published")]
    [InlineData("a stranger's key id comes just before, from the users' own address")]
    [InlineData("the keys have no ids")]
    public async Task A_good_token_of_a_new_key_is_never_401_because_of_a_fetch_before_it_and_its_address_is_not_locked_out(string name)
    {
        await using var world = await World.StartAsync(_time);
        _withoutIds = name.EndsWith("no ids", StringComparison.Ordinal);
        var gateway = await StartAsync(world);
        var before = world.Issuer.KeySetRequests;
        (_isHidden, _) = (true, world.Issuer.RotateKeys());
        var isEarly = name.EndsWith("it publishes", StringComparison.Ordinal);
        var isUser = isEarly || name.EndsWith("own address", StringComparison.Ordinal);
        Assert.Equal(401, await StatusAsync(gateway, isEarly ? User(world, 0) : Junk(world, 0), isUser));
        if (!isEarly) _isHidden = false;
        // A token without a key id counts from its check on.
        string[] users = [.. Enumerable.Range(1, _withoutIds ? Permits - 1 : 3 * Permits).Select(number => User(world, number))];

        foreach (var user in users)
        {
            _time.Advance(TimeSpan.FromSeconds(0.5));
            var response = await SendAsync(gateway, user);
            ErrorResponseAssert.Matches(503, "ServiceUnavailable", response);
            Assert.InRange(int.Parse(Assert.Single(response.Headers.GetValues("Retry-After")), CultureInfo.InvariantCulture), 1, 13);
        }

        Assert.Equal(1, world.Issuer.KeySetRequests - before);
        _isHidden = false;
        _time.Advance(s_pause);
        foreach (var user in users) Assert.Equal(200, await StatusAsync(gateway, user));
        Assert.Equal(2, world.Issuer.KeySetRequests - before);
        Assert.Equal(0, gateway.Log.Count(LogLevel.Warning, "different tokens that were refused"));
    }

    [Theory]
    [InlineData("tokens of one key id", true)]
    [InlineData("each its own key id", false)]
    public async Task A_flood_of_keys_that_are_never_published_is_locked_out_after_the_next_fetch_until_the_keys_change(string name, bool isOneKey)
    {
        Assert.NotEmpty(name);
        await using var world = await World.StartAsync(_time);
        var gateway = await StartAsync(world);
        var before = world.Issuer.KeySetRequests;
        (_isHidden, _) = (true, world.Issuer.RotateKeys());
        Assert.Equal(401, await StatusAsync(gateway, Junk(world, 0), isUser: false));
        // The others come after this fetch has begun.
        _time.Advance(s_moment);
        string[] flood = [.. Enumerable.Range(1, 30).Select(number => isOneKey ? User(world, number) : Junk(world, number))];
        // Sent again and again, a token counts once.
        foreach (var token in flood[..(Permits - 1)])
            for (var again = 0; again < 10; again++) Assert.Equal(503, await StatusAsync(gateway, token));

        _time.Advance(s_pause);
        Assert.Equal(401, await StatusAsync(gateway, Junk(world, 100), isUser: false));
        Assert.Equal(2, world.Issuer.KeySetRequests - before);
        _time.Advance(s_moment);
        foreach (var token in flood[..(Permits - 1)]) Assert.Equal(401, await StatusAsync(gateway, token));
        foreach (var token in flood[(Permits - 1)..]) Assert.Equal(503, await StatusAsync(gateway, token));
        // The address loses nothing before that fetch, and others lose nothing at all.
        Assert.Equal(503, await StatusAsync(gateway, Junk(world, 200), isUser: false));

        _time.Advance(s_pause);
        await gateway.KeysOf("Platform").FetchAsync();
        Assert.All(await Task.WhenAll(flood.Select(token => StatusAsync(gateway, token))), status => Assert.Equal(429, status));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "Client 192.0.2.1 sent 4 different tokens that were refused"));
        Assert.Equal(3, world.Issuer.KeySetRequests - before);

        _isHidden = false;
        await gateway.KeysOf("Platform").FetchAsync();
        Assert.Equal(200, await StatusAsync(gateway, User(world, 1000)));
    }

    [Fact]
    public async Task Refusals_for_another_reason_outlive_a_change_of_the_keys()
    {
        await using var world = await World.StartAsync(_time);
        var gateway = await StartAsync(world);
        for (var number = 0; number < Permits; number++)
        {
            var forged = world.Issuer.Issue(new() { Key = s_stranger, KeyId = world.Issuer.CurrentKey.KeyId, Subject = $"{number}" });
            Assert.Equal(401, await StatusAsync(gateway, forged));
        }

        world.Issuer.RotateKeys();
        await gateway.KeysOf("Platform").FetchAsync();

        Assert.Equal(429, await StatusAsync(gateway, User(world, 0)));
    }

    private string User(World world, int number) =>
        world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Subject = $"user-{number}", WithoutKeyId = _withoutIds });

    private string Junk(World world, int number) =>
        world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = s_stranger, KeyId = $"junk-{number}", WithoutKeyId = _withoutIds });

    private static async Task<int> StatusAsync(RunningGateway gateway, string token, bool isUser = true) => (await SendAsync(gateway, token, isUser)).Status;

    private static Task<Response> SendAsync(RunningGateway gateway, string token, bool isUser = true) =>
        gateway.SendAsync(Path, token, change: request => request.Headers.Add("X-Forwarded-For", isUser ? "192.0.2.1" : "192.0.2.2"));

    private async Task<RunningGateway> StartAsync(World world)
    {
        world.Issuer.KeySetText = keys =>
        {
            if (_isHidden) keys.RemoveAt(keys.Count - 1);
            foreach (var key in keys)
                if (_withoutIds) key!.AsObject().Remove("kid");
            return $$"""{ "keys": {{keys.ToJsonString()}} }""";
        };
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("Edge:FailedAuthentications", $$"""{ "PermitLimit": {{Permits}}, "Window": "00:10:00" }""")
            .Set("Edge:TrustedProxies", """["127.0.0.1"]"""));
        await gateway.KeysOf("Platform").FetchAsync();
        return gateway;
    }
}
