using System.Text.Json.Nodes;
using Gateway.Configuration.Snapshots;
using Gateway.Routes;
using Gateway.Tests.Configuration;
using Sandbox;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Configuration;

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

    [Theory]
    [InlineData("http://devices/", "http://10.0.0.7:5001/", "http://10.0.0.8:5001/")]
    [InlineData("http://devices", "http://10.0.0.7:5001", "http://10.0.0.8:5001")]
    [InlineData("http://Devices/api%2Fv1/%C3%A9", "http://10.0.0.7:5001/api%2Fv1/%C3%A9", "http://10.0.0.8:5001/api%2Fv1/%C3%A9")]
    [InlineData("https://devices/", "https://[fd00::7]:5443/")]
    [InlineData("http://idle/")]
    [InlineData("http://unlisted:8080/devices", "http://unlisted:8080/devices")]
    public async Task An_address_of_a_name_keeps_the_path_and_the_Host_of_its_destination(string written, params string[] expected)
    {
        using var configuration = new ConfigurationFixture().Set("Services",
            """{ "devices": { "Http": ["10.0.0.7:5001", "10.0.0.8:5001", "10.0.0.8:5001"], "Https": ["[fd00::7]:5443"] }, "idle": {} }""");
        var services = new NamedServices(new SnapshotConfigurationProvider(configuration.LoadGood()));
        var destination = new DestinationConfig { Address = written, Health = written, Host = "devices.internal" };

        var resolved = await services.ResolveDestinationsAsync(
            new Dictionary<string, DestinationConfig> { ["a"] = destination }, TestContext.Current.CancellationToken);

        Assert.Equal(expected, resolved.Destinations.Values.Select(each => each.Address).Order(StringComparer.Ordinal));
        Assert.All(resolved.Destinations.Values, each => Assert.Equal((each.Address, "devices.internal"), (each.Health, each.Host)));
    }

    [Theory]
    [InlineData("http://devices/live", "http://10.0.0.7:5001/live")]
    [InlineData("http://devices:9100/live", "http://10.0.0.7:9100/live")]
    [InlineData("http://health.internal:9100/devices", "http://health.internal:9100/devices")]
    public async Task An_address_for_health_checks_keeps_its_own_port_and_host(string written, string expected)
    {
        using var configuration = new ConfigurationFixture().Set("Services", """{ "devices": { "Http": ["10.0.0.7:5001"] } }""");
        var services = new NamedServices(new SnapshotConfigurationProvider(configuration.LoadGood()));

        var resolved = await services.ResolveDestinationsAsync(
            new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "http://devices/", Health = written } },
            TestContext.Current.CancellationToken);

        Assert.Equal(expected, resolved.Destinations.Values.Single().Health);
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
