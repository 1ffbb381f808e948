using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>Destinations by a name whose addresses stand in the configuration.</summary>
public sealed class NamedServiceTests : IAsyncDisposable
{
    private World? _world;

    [Fact]
    public async Task A_name_stands_for_its_addresses_and_moves_with_them()
    {
        _world = await World.StartAsync();
        await using var first = await OrganizationService.StartAsync();
        await using var second = await OrganizationService.StartAsync();
        await using var third = await OrganizationService.StartAsync();
        var gateway = await _world.StartGatewayAsync(settings => Change(settings, first, second));
        for (var i = 0; i < 10; i++) Assert.Equal(200, (await gateway.SendAsync("/named/1", _world.Token())).Status);
        Assert.True(first.Requests.Count() > 0 && second.Requests.Count() > 0);
        var before = (first.Requests.Count(), second.Requests.Count());

        await gateway.ChangeAsync(settings => Change(settings, third));

        Assert.False(gateway.IsConfigurationRefused);
        for (var i = 0; i < 10; i++) Assert.Equal(200, (await gateway.SendAsync("/named/1", _world.Token())).Status);
        Assert.Equal(before, (first.Requests.Count(), second.Requests.Count()));
        Assert.Equal(10, third.Requests.Count());
    }

    [Fact]
    public async Task A_name_that_stands_for_nothing_starts_and_is_503_until_it_does()
    {
        _world = await World.StartAsync();
        var gateway = await _world.StartGatewayAsync(settings => Change(settings));
        ErrorResponseAssert.Matches(503, "ServiceUnavailable", await gateway.SendAsync("/named/1", _world.Token()));
        ErrorResponseAssert.Matches(502, "BadGateway", await gateway.SendAsync("/unknown/1", _world.Token()));

        var settings = JsonNode.Parse(gateway.Folder.Read("appsettings.json"))!.AsObject();
        Change(settings, _world.Downstream);
        gateway.Folder.Write("appsettings.json", settings.ToJsonString());
        await gateway.CheckForChangesAsync();

        Assert.Equal(200, (await gateway.SendAsync("/named/1", _world.Token())).Status);
    }

    public async ValueTask DisposeAsync()
    {
        if (_world is not null) await _world.DisposeAsync();
    }

    private static void Change(JsonObject settings, params OrganizationService[] services) => settings.WithoutRedis()
        .Set("Services:devices:Http", new JsonArray([.. services.Select(service => JsonValue.Create(new Uri(service.Url).Authority))]).ToJsonString())
        .Set("ReverseProxy:Clusters:named", """{ "LoadBalancingPolicy": "RoundRobin", "Destinations": { "a": { "Address": "http://devices/" } } }""")
        .Set("ReverseProxy:Clusters:unknown", """{ "Destinations": { "a": { "Address": "http://nowhere.invalid/" } } }""")
        .Route("named", "/named/{**rest}", """{ "ClusterId": "named" }""")
        .Route("unknown", "/unknown/{**rest}", """{ "ClusterId": "unknown" }""");
}
