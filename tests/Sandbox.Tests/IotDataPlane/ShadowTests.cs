using System.Text.Json;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Sandbox.Tests.IotDataPlane;

public sealed class ShadowTests(DataPlane shared) : IClassFixture<DataPlane>
{
    [Theory]
    [InlineData("shadow-a", "")]
    [InlineData("shadow-b", "/name/settings")]
    public async Task A_shadow_is_updated_read_and_deleted(string thing, string name)
    {
        var topics = $"$aws/things/{thing}/shadow{name}";
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("shadow"), thing);
        await client.SubscribeAsync($"{topics}/#");

        await client.PublishAsync($"{topics}/get", """{"clientToken":"1"}""");
        AssertJson("""{"code":404,"message":"NO","clientToken":"1"}""", await client.ReceiveAsync($"{topics}/get/rejected"));

        await client.PublishAsync($"{topics}/update", """{"state":{"desired":{"light":"on","speed":{"x":1}},"reported":{"light":"off"}},"clientToken":"2"}""");
        AssertJson(
            """
            {"state":{"desired":{"light":"on","speed":{"x":1}},"reported":{"light":"off"}},"version":1,"clientToken":"2",
             "metadata":{"desired":{"light":{},"speed":{"x":{}}},"reported":{"light":{}}}}
            """,
            await client.ReceiveAsync($"{topics}/update/accepted"));
        AssertJson(
            """{"state":{"light":"on","speed":{"x":1}},"metadata":{"light":{},"speed":{"x":{}}},"version":1,"clientToken":"2"}""",
            await client.ReceiveAsync($"{topics}/update/delta"));
        var documents = JsonNode.Parse(await client.ReceiveAsync($"{topics}/update/documents"))!;
        Assert.Equal((0, 1), ((int)documents["previous"]!["version"]!, (int)documents["current"]!["version"]!));

        // Null removes; what is reported as desired leaves no delta.
        await client.PublishAsync($"{topics}/update", """{"state":{"desired":{"speed":null},"reported":{"light":"on"}}}""");
        AssertJson(
            """{"state":{"desired":{"speed":null},"reported":{"light":"on"}},"metadata":{"desired":{},"reported":{"light":{}}},"version":2}""",
            await client.ReceiveAsync($"{topics}/update/accepted"));
        await client.PublishAsync($"{topics}/get", "");
        AssertJson(
            """
            {"state":{"desired":{"light":"on"},"reported":{"light":"on"}},"metadata":{"desired":{"light":{}},"reported":{"light":{}}},"version":2}
            """,
            await client.ReceiveAsync($"{topics}/get/accepted"));

        await client.PublishAsync($"{topics}/delete", "");
        AssertJson("""{"version":2}""", await client.ReceiveAsync($"{topics}/delete/accepted"));
        await client.PublishAsync($"{topics}/update", """{"state":{"reported":{"light":"off"}}}""");
        Assert.Equal(3, (int)JsonNode.Parse(await client.ReceiveAsync($"{topics}/update/accepted"))!["version"]!);
        Assert.DoesNotContain(client.ReceivedTopics(), topic => topic.EndsWith("/delta", StringComparison.Ordinal) || topic == $"{topics}/update");
    }

    [Theory]
    [InlineData("""no json""", 400)]
    [InlineData("""[]""", 400)]
    [InlineData("""{}""", 400)]
    [InlineData("""{"state":1}""", 400)]
    [InlineData("""{"state":{"wanted":{}}}""", 400)]
    [InlineData("""{"state":{"desired":"on"}}""", 400)]
    [InlineData("""{"state":{"desired":{"a":1,"a":2}}}""", 400)]
    [InlineData("""{"state":{"desired":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}""", 400)]
    [InlineData("""{"state":{},"version":"1"}""", 400)]
    [InlineData("""{"state":{},"version":7}""", 409)]
    [InlineData("""{"state":{},"clientToken":1}""", 400)]
    [InlineData("""{"state":{"desired":{"a":"LONG"}}}""", 413)]
    public async Task An_update_that_is_not_accepted_changes_nothing(string update, int code)
    {
        const string topics = "$aws/things/shadow-c/shadow";
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("shadow"), "shadow-c");
        await client.SubscribeAsync($"{topics}/#");

        await client.PublishAsync($"{topics}/update", update.Replace("LONG", new string('x', 8192), StringComparison.Ordinal));

        Assert.Equal(code, (int)JsonNode.Parse(await client.ReceiveAsync($"{topics}/update/rejected"))!["code"]!);
        await client.PublishAsync($"{topics}/get", "");
        Assert.Equal(404, (int)JsonNode.Parse(await client.ReceiveAsync($"{topics}/get/rejected"))!["code"]!);
    }

    [Fact]
    public async Task A_shadow_that_would_grow_too_large_stays_as_it_is()
    {
        const string topics = "$aws/things/shadow-d/shadow";
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("shadow"), "shadow-d");
        await client.SubscribeAsync($"{topics}/#");
        var half = new string('x', 5000);
        await client.PublishAsync($"{topics}/update", """{"state":{"desired":{"a":"HALF"}}}""".Replace("HALF", half, StringComparison.Ordinal));
        await client.ReceiveAsync($"{topics}/update/accepted");

        await client.PublishAsync($"{topics}/update", """{"state":{"desired":{"b":"HALF"}}}""".Replace("HALF", half, StringComparison.Ordinal));

        Assert.Equal(413, (int)JsonNode.Parse(await client.ReceiveAsync($"{topics}/update/rejected"))!["code"]!);
        await client.PublishAsync($"{topics}/get", "");
        var document = JsonNode.Parse(await client.ReceiveAsync($"{topics}/get/accepted"))!;
        Assert.Equal((1, null), ((int)document["version"]!, (string?)document["state"]!["desired"]!["b"]));
    }

    /// <summary>Compares without times, whatever they are, and without messages, which only have to be there.</summary>
    private static void AssertJson(string expected, string actual)
    {
        var document = JsonNode.Parse(actual)!.AsObject();
        Assert.Equal(JsonValueKind.Number, document["timestamp"]!.GetValueKind());
        document.Remove("timestamp");
        RemoveTimes(document["metadata"]);
        if (document.ContainsKey("message")) document["message"] = "NO";
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), document), document.ToJsonString());
    }

    private static void RemoveTimes(JsonNode? metadata)
    {
        if (metadata is not JsonObject values) return;
        values.Remove("timestamp");
        foreach (var (_, value) in values) RemoveTimes(value);
    }
}
