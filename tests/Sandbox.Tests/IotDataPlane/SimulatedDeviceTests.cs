using System.Text.Json.Nodes;
using Sandbox.IotDataPlane;
using Testing;
using Xunit;

namespace Sandbox.Tests.IotDataPlane;

public sealed class SimulatedDeviceTests(DataPlane shared) : IClassFixture<DataPlane>
{
    [Fact]
    public async Task A_device_publishes_reports_and_obeys_within_the_policy_that_ships()
    {
        await using var endpoint = await IotDataEndpoint.StartAsync(shared.Aws, organizations: ["o-acme", "o-globex"]);
        await using var client = await MqttTestClient.ConnectAsync(endpoint, shared.Shipped("o-acme"), "o-acme-web-1");
        Assert.Equal([1, 1], await client.SubscribeAsync("o-acme/#", "$aws/things/o-acme-sensor/shadow/#"));

        var first = JsonNode.Parse(await client.ReceiveAsync("o-acme/sensor/telemetry"))!;
        var second = JsonNode.Parse(await client.ReceiveAsync("o-acme/sensor/telemetry"))!;
        Assert.NotEqual((string?)first["at"], (string?)second["at"]);
        Assert.InRange((double)first["temperature"]!, 10, 30);

        Assert.True(await client.PublishAsync("o-acme/sensor/commands", """{"light":"on"}"""));
        Assert.Equal("on", await LightAsync());

        Assert.True(await client.PublishAsync("$aws/things/o-acme-sensor/shadow/update", """{"state":{"desired":{"light":"off"}}}"""));
        Assert.Equal("off", await LightAsync());
        await client.PublishAsync("$aws/things/o-acme-sensor/shadow/get", "");
        var shadow = JsonNode.Parse(await client.ReceiveAsync("$aws/things/o-acme-sensor/shadow/get/accepted"))!["state"]!;
        Assert.Equal(("off", null), ((string?)shadow["reported"]!["light"], shadow["delta"]));

        // A slip in a command changes nothing.
        foreach (var slip in new[] { "on", "[]", "{\"light\":1}", "" }) Assert.True(await client.PublishAsync("o-acme/sensor/commands", slip));
        Assert.True(await client.PublishAsync("o-acme/sensor/commands", """{"light":"on"}"""));
        Assert.Equal("on", await LightAsync());

        async Task<string?> LightAsync() => (string?)JsonNode.Parse(await client.ReceiveAsync("o-acme/sensor/events"))!["light"];
    }
}
