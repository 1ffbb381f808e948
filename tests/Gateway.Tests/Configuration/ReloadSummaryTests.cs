using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>What an operator learns of a change that was applied, and whether replicas agree.</summary>
public sealed partial class ReloadSummaryTests
{
    [Fact]
    public async Task F15_replicas_agree_on_a_hash_and_a_change_is_told_in_short()
    {
        await using var world = await World.StartAsync();
        var operators = world.Issuer.Issue(new() { Organizations = (string[])["o-acme"], Roles = (string[])["operator"] });
        var replicas = new List<RunningGateway>();
        for (var replica = 0; replica < 2; replica++)
            replicas.Add(await world.StartGatewayAsync(static settings => settings.WithoutRedis()
                .Set("Authorization:Policies:Operators", """{ "Roles": ["operator"] }""")
                .Set("Management:AuthorizationPolicy", "\"Operators\"")
                .Route("plain", "/plain/{**rest}")));
        var gateway = replicas[0];
        var first = await HashAsync(gateway);
        Assert.Equal(first, await HashAsync(replicas[1]));

        await gateway.ChangeAsync(static settings => settings.Set("ReverseProxy:Routes:plain:AuthorizationPolicy", "\"Anonymous\""));

        var second = await HashAsync(gateway);
        Assert.NotEqual(first, second);
        const string Told = "1 loosened: route plain: Access: removed";
        await gateway.Log.WaitForAsync(LogLevel.Information, $"The configuration was changed ({second}): {Told}. ");
        var status = (await world.Client.SendAsync(gateway.ManagementUrl + "/api/status", operators)).Json.GetProperty("configuration");
        Assert.Equal((second, Told), (status.GetProperty("hash").GetString(), status.GetProperty("lastChange").GetString()));
        await IsScrapedAsync(second);

        // The values are others, and what is served is the same.
        await gateway.ChangeAsync(static settings => settings.Set("ReverseProxy:Routes:plain:Order", "0"));
        await gateway.Log.WaitForAsync(LogLevel.Information, $"The configuration was changed ({second}): nothing that is served. ");
        await gateway.ChangeAsync(static settings => settings["ReverseProxy"]!["Routes"]!["plain"]!.AsObject().Remove("AuthorizationPolicy"));
        Assert.Equal(first, await HashAsync(gateway));
        await IsScrapedAsync(first);

        async Task<string?> HashAsync(RunningGateway replica) => (await world.Client.SendAsync(
                replica.ManagementUrl + "/health/ready", change: static request => request.Headers.Add("Accept", "application/json")))
            .Json.GetProperty("checks").GetProperty("configuration").GetProperty("hash").GetString();

        // The exporter may return what it collected a moment ago.
        Task IsScrapedAsync(string? hash) => Eventually.IsTrueAsync(async () =>
            Info().Matches((await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body).Select(static match => match.Groups[1].Value)
                .SequenceEqual([hash!]));
    }

    [GeneratedRegex("gateway_configuration_info\\{[^}]*hash=\"([0-9a-f]{12})\"[^}]*\\} 1")]
    private static partial Regex Info();
}
