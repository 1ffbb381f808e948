using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

public sealed class IssuerKeyTests
{
    private static readonly string s_path = Requests.CredentialsPath("o-acme");

    [Fact]
    public async Task A_token_under_a_new_key_passes_on_the_first_request()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);

        world.Issuer.RotateKeys();
        var first = await gateway.VendAsync("o-acme");

        Assert.True(first.Status == 200, first.Body);
    }

    [Fact]
    public async Task A_withdrawn_key_is_refused_once_the_key_set_was_read_again()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        var old = world.Token("o-acme");
        Assert.Equal(200, (await gateway.SendAsync(s_path, old)).Status);

        world.Issuer.RotateKeys();
        world.Issuer.WithdrawOldKeys();
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);

        ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync(s_path, old), tokenSent: true);
    }

    [Fact]
    public async Task Known_keys_hold_while_the_issuer_is_down()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);

        await world.Issuer.StopAsync();
        var known = await gateway.VendAsync("o-acme");
        var unknown = await gateway.SendAsync(s_path, world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Key = SigningKey.CreateRsa() }));
        var afterwards = await gateway.VendAsync("o-acme");

        Assert.Equal(200, known.Status);
        // Only the issuer could say whether this key is one of its new ones.
        ErrorResponseAssert.Matches(503, "ServiceUnavailable", unknown);
        Assert.Equal(200, afterwards.Status);
    }

    [Theory]
    [InlineData("the same keys each time")]
    [InlineData("the keys in another order each time")]
    [InlineData("another key each time")]
    public async Task Strangers_cannot_make_the_gateway_ask_the_issuer_again_and_again(string published)
    {
        // Time stands still: all of it happens within ten seconds.
        await using var world = await World.StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow));
        world.Issuer.RotateKeys();
        var turn = 0;
        if (!published.StartsWith("the same", StringComparison.Ordinal)) world.Issuer.KeySetText = keys =>
        {
            if (published.StartsWith("another", StringComparison.Ordinal)) keys.Add(SigningKey.CreateEllipticCurve().ToJsonWebKey());
            return new JsonObject { ["keys"] = new JsonArray([.. (turn++ % 2 == 0 ? keys : keys.Reverse()).Select(key => key!.DeepClone())]) }.ToJsonString();
        };
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        var before = world.Issuer.KeySetRequests;

        for (var i = 0; i < 20; i++) await gateway.SendAsync(s_path, world.Issuer.Issue(new() { KeyId = $"unknown-{i}", Key = world.Issuer.CurrentKey }));

        Assert.Equal(1, world.Issuer.KeySetRequests - before);
    }
}
