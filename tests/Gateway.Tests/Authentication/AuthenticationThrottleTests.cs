using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Authentication;
using Gateway.Networking;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>No more signatures are checked for an address that sends one refused token after another. Others do not notice.</summary>
public sealed partial class AuthenticationThrottleTests
{
    private const int Permits = 3;
    private const string Good = "/organizations/o-acme/x";

    private static readonly SigningKey s_stranger = SigningKey.CreateRsa();
    private static int s_junk;

    private int _checks;

    [Fact]
    public async Task An_address_over_the_limit_is_429_before_any_signature_is_checked()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        for (var i = 0; i < Permits; i++) Assert.Equal(401, await StatusAsync(gateway, Stolen(world)));
        var checks = _checks;

        var refused = await RawHttp.SendAsync(gateway.Url, Good, "GET", $"Authorization: Bearer {Stolen(world)}");

        Assert.Equal(429, refused.Status);
        ErrorResponseAssert.BodyMatches("TooManyRequests", refused.Body);
        Assert.InRange(int.Parse(Assert.Single(refused.Headers["Retry-After"]), CultureInfo.InvariantCulture), 1, 630);
        // A good token's too, unless it is known: whose it is only a check could tell.
        Assert.Equal(429, await StatusAsync(gateway, world.Token("o-acme")));
        Assert.Equal(checks, _checks);
        // And without a token there is nothing to check.
        Assert.Equal(401, await StatusAsync(gateway, null));
    }

    [Fact]
    public async Task Nobody_else_is_locked_out()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        for (var i = 0; i < Permits; i++) await StatusAsync(gateway, Junk());

        Assert.Equal(429, await StatusAsync(gateway, Junk()));
        Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme"), "127.0.0.2"));
    }

    [Fact]
    public async Task Who_says_that_he_is_another_counts_as_himself()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        for (var i = 0; i < Permits; i++) Assert.Equal(401, await StatusAsync(gateway, Junk(), "127.0.0.1", $"X-Forwarded-For: 192.0.2.{i}"));

        Assert.Equal(429, await StatusAsync(gateway, Junk(), "127.0.0.1", "X-Forwarded-For: 192.0.2.9"));
        Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme"), "127.0.0.2", "X-Forwarded-For: 127.0.0.1"));
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_the_clients_address_counts()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world, """["127.0.0.1"]""");
        // A /64 is one customer.
        for (var i = 0; i < Permits; i++) Assert.Equal(401, await StatusAsync(gateway, Junk(), "127.0.0.1", $"X-Forwarded-For: 2001:db8:1:2::{i}"));

        Assert.Equal(429, await StatusAsync(gateway, Junk(), "127.0.0.1", "X-Forwarded-For: 2001:db8:1:2:ffff::1"));
        Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme"), "127.0.0.1", "X-Forwarded-For: 2001:db8:1:3::1"));
        // The addresses left of the client's own are the client's word.
        Assert.Equal(429, await StatusAsync(gateway, Junk(), "127.0.0.1", "X-Forwarded-For: 192.0.2.1, 2001:db8:1:2::1"));
    }

    [Fact]
    public async Task What_is_accepted_and_what_brings_no_token_does_not_count()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);

        for (var i = 0; i < 3 * Permits; i++)
        {
            Assert.Equal(401, await StatusAsync(gateway, null));
            Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme")));
            // Forbidden is not unauthenticated.
            Assert.Equal(403, await StatusAsync(gateway, world.Token("o-other")));
        }
    }

    [Fact]
    public async Task Every_kind_of_refused_token_counts()
    {
        await using var world = await World.StartAsync();
        Func<string>[] refused =
        [
            () => Stolen(world), Junk, () => $"x{Interlocked.Increment(ref s_junk)}", () => world.Issuer.Issue(new() { Expires = TimeSpan.FromHours(-1) }),
            () => world.Issuer.Issue(new() { Issuer = "https://unknown.example.com" }), () => world.Issuer.Issue(new() { Audiences = ["another"] }),
        ];
        foreach (var token in refused)
        {
            var gateway = await StartAsync(world);
            for (var i = 0; i < Permits; i++) Assert.Equal(401, await StatusAsync(gateway, token()));
            Assert.Equal(429, await StatusAsync(gateway, token()));
        }
    }

    [Fact]
    public async Task B9_a_known_token_passes_from_an_address_that_is_locked_out()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var known = world.Token("o-acme");
        Assert.Equal(200, await StatusAsync(gateway, known));
        for (var i = 0; i < Permits; i++) await StatusAsync(gateway, Junk());

        Assert.Equal(429, await StatusAsync(gateway, world.Token("o-acme")));
        Assert.Equal(200, await StatusAsync(gateway, known));
        // So it does when it has to be checked again.
        world.Issuer.RotateKeys();
        await gateway.KeysOf("Platform").FetchAsync();
        Assert.Equal(200, await StatusAsync(gateway, known));
    }

    [Theory]
    [InlineData("B9 an expired token")]
    [InlineData("B9 a token of a stranger's key")]
    [InlineData("B9 a token of an unknown issuer")]
    [InlineData("B9 a token of an unknown key id")]
    [InlineData("B9 no token at all")]
    [InlineData("a token for another audience")]
    [InlineData("a token that is not yet valid")]
    [InlineData("a token of a stranger's without a kid")]
    public async Task The_same_refused_token_counts_once(string kind)
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var token = kind.Contains("expired", StringComparison.Ordinal) ? world.Issuer.Issue(new() { Expires = TimeSpan.FromHours(-1) })
            : kind.Contains("audience", StringComparison.Ordinal) ? world.Issuer.Issue(new() { Audiences = ["another"] })
            : kind.Contains("not yet", StringComparison.Ordinal) ? world.Issuer.Issue(new() { NotBefore = TimeSpan.FromMinutes(30) })
            : kind.Contains("without", StringComparison.Ordinal) ? world.Issuer.Issue(new() { Key = s_stranger, WithoutKeyId = true })
            : kind.Contains("stranger", StringComparison.Ordinal) ? world.Issuer.Issue(new() { Key = s_stranger, KeyId = world.Issuer.CurrentKey.KeyId })
            : kind.Contains("issuer", StringComparison.Ordinal) ? world.Issuer.Issue(new() { Issuer = "https://unknown.example.com" })
            : kind.Contains("key id", StringComparison.Ordinal) ? world.Issuer.Issue(new() { Key = s_stranger })
            : "x.y.z";

        for (var i = 0; i < 100; i++) Assert.Equal(401, await StatusAsync(gateway, token));
        // And costs one check.
        Assert.InRange(_checks, 0, 1);

        Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme")));
        // All at once, too.
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => StatusAsync(gateway, token))), status => Assert.Equal(401, status));
        Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme")));
        Assert.InRange(_checks, 2, 3);
    }

    [Fact]
    public async Task A_refused_token_is_checked_again_under_other_keys()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var early = world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = s_stranger, WithoutKeyId = true });
        for (var i = 0; i < 3; i++) Assert.Equal(401, await StatusAsync(gateway, early));

        world.Issuer.KeySetText = keys =>
        {
            keys.Add(s_stranger.ToJsonWebKey());
            return new JsonObject { ["keys"] = keys.DeepClone() }.ToJsonString();
        };
        await gateway.KeysOf("Platform").FetchAsync();

        Assert.Equal(200, await StatusAsync(gateway, early));
        Assert.Equal(2, _checks);
    }

    [Fact]
    public async Task Bad_tokens_without_a_key_id_count_while_their_issuer_is_down()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        var good = world.Token("o-acme");
        Assert.Equal(200, await StatusAsync(gateway, good));
        await world.Issuer.StopAsync();

        for (var i = 0; i < Permits; i++)
        {
            var token = world.Issuer.Issue(new() { Key = s_stranger, WithoutKeyId = true, Subject = $"{i}" });
            // Only the issuer could say whether this key is one of its new ones.
            for (var again = 0; again < 3; again++) Assert.Equal(i < Permits - 1 || again == 0 ? 503 : 429, await StatusAsync(gateway, token));
        }

        Assert.Equal(1 + Permits, _checks);
        Assert.Equal(429, await StatusAsync(gateway, world.Issuer.Issue(new() { Key = s_stranger, WithoutKeyId = true })));
        Assert.Equal(200, await StatusAsync(gateway, good));
    }

    [Fact]
    public async Task S17_requests_at_once_do_not_overshoot()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        string[] stolen = [.. Enumerable.Range(0, 380).Select(_ => world.Issuer.Issue(new() { Key = s_stranger, KeyId = world.Issuer.CurrentKey.KeyId }))];

        var statuses = await Task.WhenAll(stolen.Select(async token => (await gateway.SendAsync(Good, token)).Status));

        Assert.Equal(Permits, _checks);
        Assert.Equal(Permits, statuses.Count(status => status == 401));
        Assert.Equal(380 - Permits, statuses.Count(status => status == 429));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "Client 127.0.0.1 sent 3 different tokens that were refused"));
    }

    [Fact]
    public async Task S17_good_tokens_at_once_are_all_accepted()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        string[] good = [.. Enumerable.Range(0, 50).Select(_ => world.Token("o-acme"))];

        Assert.All(await Task.WhenAll(good.Select(token => gateway.SendAsync(Good, token))), answer => Assert.Equal(200, answer.Status));
    }

    [Fact]
    public async Task B9_management_counts_apart()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("Edge:FailedAuthentications", $$"""{ "PermitLimit": {{Permits}}, "Window": "00:10:00" }""")
            .Set("Management:AuthorizationPolicy", "\"Operators\"")
            .Set("Authorization:Policies:Operators", """{ "Roles": ["gateway-operator"] }"""));
        for (var i = 0; i < Permits; i++) await StatusAsync(gateway, Junk());
        Assert.Equal(429, await StatusAsync(gateway, Junk()));

        Assert.Equal(204, await DeleteAsync(world.Issuer.Issue(new() { Roles = ["gateway-operator"] })));
        for (var i = 0; i < Permits; i++) Assert.Equal(401, await DeleteAsync(Junk()));
        Assert.Equal(429, await DeleteAsync(Junk()));
        // Probes need no token, and mind none.
        Assert.Equal(200, (await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready", Junk())).Status);

        async Task<int> DeleteAsync(string token) =>
            (await world.Client.SendAsync(gateway.ManagementUrl + "/organizations/o-acme/credentials", token, "DELETE")).Status;
    }

    [Fact]
    public async Task S17_the_time_to_wait_is_true_and_each_lockout_is_logged_once()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await StartAsync(world, window: "00:01:00");
        await gateway.SendAsync(Good, Junk());
        time.Advance(TimeSpan.FromSeconds(20));
        for (var i = 1; i < Permits; i++) await gateway.SendAsync(Good, Junk());

        time.Advance(TimeSpan.FromSeconds(9.5));
        for (var i = 0; i < 20; i++)
        {
            var refused = await gateway.SendAsync(Good, Junk());
            ErrorResponseAssert.Matches(429, "TooManyRequests", refused);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 31, 38);
        }

        time.Advance(TimeSpan.FromSeconds(30.5));
        Assert.Equal(401, (await gateway.SendAsync(Good, Junk())).Status);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "different tokens that were refused"));
    }

    [Fact]
    public async Task S17_counts_are_bounded_in_memory_and_in_time()
    {
        var time = new FakeTimeProvider();
        var log = new LogLines();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        var failed = new AuthenticationThrottle(
            new() { PermitLimit = 2, Window = TimeSpan.FromMinutes(1) }, time, loggers.CreateLogger<AuthenticationThrottle>());

        for (var client = 0; client < 20_000; client++)
        {
            var context = new DefaultHttpContext();
            context.Connection.RemoteIpAddress = IPAddress.Parse($"2001:db8:{client / 65536:x}:{client % 65536:x}::1");
            for (var i = 0; i < 2; i++)
            {
                using var check = await failed.BeginAsync(context, new TokenKey("", (UInt128)i, 0), null);
                check!.Refuse(AuthenticateResult.Fail("no"), null, TimeSpan.Zero);
            }
        }

        Assert.InRange(failed.Clients, 8_000, 8_192);
        Assert.InRange(log.Count(LogLevel.Warning, "2001:db8:"), 1, 20);
        time.Advance(TimeSpan.FromMinutes(1));
        var last = new DefaultHttpContext();
        last.Connection.RemoteIpAddress = IPAddress.Loopback;
        (await failed.BeginAsync(last, default, null))!.Dispose();
        Assert.Equal(0, failed.Clients);
    }

    [Fact]
    public async Task B9_a_token_that_is_sent_again_and_again_counts_once_however_high_the_limit()
    {
        using var loggers = LoggerFactory.Create(_ => { });
        var throttle = new AuthenticationThrottle(
            new() { PermitLimit = 1000, Window = TimeSpan.FromHours(1) }, new FakeTimeProvider(), loggers.CreateLogger<AuthenticationThrottle>());
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Loopback;

        for (var token = 0; token < 999; token++) await RefuseAsync(token);
        for (var again = 0; again < 100; again++) await RefuseAsync(998);
        Assert.Null(throttle.LockedFor(context));
        await RefuseAsync(999);

        Assert.NotNull(throttle.LockedFor(context));

        async Task RefuseAsync(int token)
        {
            using var check = await throttle.BeginAsync(context, new TokenKey("", (UInt128)token, 0), null);
            check!.Refuse(AuthenticateResult.Fail("no"), null, TimeSpan.Zero);
        }
    }

    [Fact]
    public async Task A_check_that_outlasts_its_window_still_counts_among_those_under_way()
    {
        var time = new FakeTimeProvider();
        using var loggers = LoggerFactory.Create(_ => { });
        var throttle = new AuthenticationThrottle(
            new() { PermitLimit = 2, Window = TimeSpan.FromMinutes(1) }, time, loggers.CreateLogger<AuthenticationThrottle>());
        using (var refused = await BeginAsync("192.0.2.1", 1)) refused.Refuse(AuthenticateResult.Fail("no"), null, TimeSpan.Zero);
        var slow = await BeginAsync("192.0.2.1", 2);
        time.Advance(TimeSpan.FromMinutes(1));
        (await BeginAsync("192.0.2.2", 3)).Dispose();

        using var second = await BeginAsync("192.0.2.1", 4);
        var third = BeginAsync("192.0.2.1", 5);

        Assert.False(third.IsCompleted);
        slow.Refuse(AuthenticateResult.Fail("no"), null, TimeSpan.Zero);
        slow.Dispose();
        Assert.False(third.IsCompleted);
        second.Dispose();
        (await third.WaitAsync(Eventually.Limit)).Dispose();

        async Task<AuthenticationThrottle.Check> BeginAsync(string address, int token)
        {
            var context = new DefaultHttpContext();
            context.Connection.RemoteIpAddress = IPAddress.Parse(address);
            return (await throttle.BeginAsync(context, new TokenKey("", (UInt128)token, 0), null))!;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Requests_that_wait_for_a_check_all_get_their_turn_whoever_leaves(int failures)
    {
        using var loggers = LoggerFactory.Create(_ => { });
        var throttle = new AuthenticationThrottle(
            new() { PermitLimit = Permits, Window = TimeSpan.FromHours(1) }, new FakeTimeProvider(), loggers.CreateLogger<AuthenticationThrottle>());
        for (var i = 0; i < failures; i++)
        {
            using var check = await BeginAsync(i, CancellationToken.None);
            check.Refuse(AuthenticateResult.Fail("no"), null, TimeSpan.Zero);
        }

        var held = new List<AuthenticationThrottle.Check>();
        for (var i = failures; i < Permits; i++) held.Add(await BeginAsync(100 + i, CancellationToken.None));
        using var early = new CancellationTokenSource();
        using var late = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 3_000).Select(i => TakeTurnAsync(1_000 + i, i % 3 == 0 ? early.Token : i % 3 == 1 ? late.Token : default)).ToArray();
        await early.CancelAsync();

        held.ForEach(static check => check.Dispose());
        await late.CancelAsync();

        var turns = await Task.WhenAll(waiting).WaitAsync(Eventually.Limit);
        Assert.All(turns.Where(static (_, i) => i % 3 == 0), Assert.False);
        Assert.All(turns.Where(static (_, i) => i % 3 == 2), Assert.True);

        async Task<bool> TakeTurnAsync(int token, CancellationToken leaves)
        {
            try
            {
                using var check = await BeginAsync(token, leaves);
                await Task.Yield();
                return true;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        async Task<AuthenticationThrottle.Check> BeginAsync(int token, CancellationToken leaves)
        {
            var context = new DefaultHttpContext { RequestAborted = leaves };
            context.Connection.RemoteIpAddress = IPAddress.Loopback;
            return (await throttle.BeginAsync(context, new TokenKey("", (UInt128)token, 0), null))!;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(30)]
    [InlineData(300)]
    public async Task A_token_that_is_not_yet_valid_is_checked_again_once_its_schemes_clock_skew_lets_it_in(int skew)
    {
        var time = new FakeTimeProvider();
        using var loggers = LoggerFactory.Create(_ => { });
        var failed = new AuthenticationThrottle(
            new() { PermitLimit = 2, Window = TimeSpan.FromHours(1) }, time, loggers.CreateLogger<AuthenticationThrottle>());
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        var early = new SecurityTokenNotYetValidException { NotBefore = time.GetUtcNow().UtcDateTime.AddMinutes(10) };

        using (var check = await failed.BeginAsync(context, default, null))
            check!.Refuse(AuthenticateResult.Fail(early), null, TimeSpan.FromSeconds(skew));
        time.Advance(TimeSpan.FromSeconds(600 - skew - 1));
        using (var before = await failed.BeginAsync(context, default, null))
        {
            var known = before!.KnownUnder(null!);
            Assert.NotNull(known);
            // The request that repeats it is refused as well.
            before.Refuse(known, null, TimeSpan.FromSeconds(skew));
        }

        time.Advance(TimeSpan.FromSeconds(1));

        using var after = await failed.BeginAsync(context, default, null);
        Assert.Null(after!.KnownUnder(null!));
    }

    [Fact]
    public async Task A_new_window_starts_anew()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world, window: "00:00:01");
        for (var i = 0; i < 2 * Permits; i++) await StatusAsync(gateway, Junk());

        var status = 429;
        await Eventually.IsTrueAsync(async () => (status = await StatusAsync(gateway, world.Token("o-acme"))) != 429);

        Assert.Equal(200, status);
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::")]
    [InlineData("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::")]
    [InlineData("2001:db8:1:3::", "2001:db8:1:3::")]
    [InlineData("::1", "::")]
    public void An_IPv6_client_is_its_64(string address, string client)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);

        Assert.Equal(client, ClientAddress.Of(context));
    }

    // Each is another token: one counts once.
    private static string Junk() => $"x.{Interlocked.Increment(ref s_junk)}.z";

    private static string Stolen(World world) =>
        world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = s_stranger, KeyId = world.Issuer.CurrentKey.KeyId });

    private static async Task<int> StatusAsync(RunningGateway gateway, string? token, string from = "127.0.0.1", string? header = null)
    {
        var lines =
            $"Host: 127.0.0.1\r\nConnection: close\r\n{(token is null ? "" : $"Authorization: Bearer {token}\r\n")}{(header is null ? "" : header + "\r\n")}";
        var answer = await RawHttp.ExchangeAsync(gateway.Url, $"GET {Good} HTTP/1.1\r\n{lines}\r\n", from);
        return int.Parse(StatusLine().Match(answer).Groups["status"].Value, CultureInfo.InvariantCulture);
    }

    private Task<RunningGateway> StartAsync(World world, string proxies = "[]", string window = "00:10:00") => world.StartGatewayAsync(
        settings => settings.WithoutRedis()
            .Set("Edge:FailedAuthentications", new JsonObject { ["PermitLimit"] = Permits, ["Window"] = window }.ToJsonString())
            .Set("Edge:TrustedProxies", proxies),
        services => services.CountChecks(() => Interlocked.Increment(ref _checks)));

    [GeneratedRegex(@"^HTTP/1\.1 (?<status>\d{3})")]
    private static partial Regex StatusLine();
}
