using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Edge;
using Microsoft.AspNetCore.Http;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>Who sends one refused token after another is not worth a signature check any more; nobody else notices.</summary>
public sealed partial class FailedAuthenticationTests
{
    private const int Permits = 3;
    private const string Good = "/organizations/o-acme/x";

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
        Refusal.Body("TooManyRequests", refused.Body);
        Assert.InRange(int.Parse(Assert.Single(refused.Headers["Retry-After"]), CultureInfo.InvariantCulture), 1, 600);
        // A good token's too: whose it is only a check could tell.
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
        for (var i = 0; i < Permits; i++) await StatusAsync(gateway, "x.y.z");

        Assert.Equal(429, await StatusAsync(gateway, "x.y.z"));
        Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme"), "127.0.0.2"));
    }

    [Fact]
    public async Task Who_says_that_he_is_another_counts_as_himself()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world);
        for (var i = 0; i < Permits; i++) Assert.Equal(401, await StatusAsync(gateway, "x.y.z", "127.0.0.1", $"X-Forwarded-For: 192.0.2.{i}"));

        Assert.Equal(429, await StatusAsync(gateway, "x.y.z", "127.0.0.1", "X-Forwarded-For: 192.0.2.9"));
        Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme"), "127.0.0.2", "X-Forwarded-For: 127.0.0.1"));
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_the_clients_address_counts()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world, """["127.0.0.1"]""");
        // A /64 is one customer.
        for (var i = 0; i < Permits; i++) Assert.Equal(401, await StatusAsync(gateway, "x.y.z", "127.0.0.1", $"X-Forwarded-For: 2001:db8:1:2::{i}"));

        Assert.Equal(429, await StatusAsync(gateway, "x.y.z", "127.0.0.1", "X-Forwarded-For: 2001:db8:1:2:ffff::1"));
        Assert.Equal(200, await StatusAsync(gateway, world.Token("o-acme"), "127.0.0.1", "X-Forwarded-For: 2001:db8:1:3::1"));
        // What stands left of the client's own address is the client's word.
        Assert.Equal(429, await StatusAsync(gateway, "x.y.z", "127.0.0.1", "X-Forwarded-For: 192.0.2.1, 2001:db8:1:2::1"));
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
        string[] refused =
        [
            Stolen(world), "x.y.z", "x", world.Issuer.Issue(new() { Expires = TimeSpan.FromHours(-1) }),
            world.Issuer.Issue(new() { Issuer = "https://unknown.example.com" }), world.Issuer.Issue(new() { Audiences = ["another"] }),
        ];
        foreach (var token in refused)
        {
            var gateway = await StartAsync(world);
            for (var i = 0; i < Permits; i++) Assert.Equal(401, await StatusAsync(gateway, token));
            Assert.Equal(429, await StatusAsync(gateway, token));
        }
    }

    [Fact]
    public async Task A_new_window_starts_anew()
    {
        await using var world = await World.StartAsync();
        var gateway = await StartAsync(world, window: "00:00:01");
        for (var i = 0; i < 2 * Permits; i++) await StatusAsync(gateway, "x.y.z");

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

    private static string Stolen(World world) => world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = SigningKey.CreateRsa() });

    private static async Task<int> StatusAsync(RunningGateway gateway, string? token, string from = "127.0.0.1", string? header = null)
    {
        var lines = $"Host: 127.0.0.1\r\nConnection: close\r\n{(token is null ? "" : $"Authorization: Bearer {token}\r\n")}{(header is null ? "" : header + "\r\n")}";
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
