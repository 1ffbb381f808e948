using System.Net;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Sandbox.Tests.IotDataPlane;

public sealed class HttpDataPlaneTests(DataPlane shared) : IClassFixture<DataPlane>
{
    private static readonly HttpClient s_client = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_message_is_published_and_kept()
    {
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("http"), "http");
        await client.SubscribeAsync("http/#");

        var (status, body) = await SendAsync(HttpMethod.Post, "/topics/http%2Fa%20b?qos=1&retain=true", "21");
        Assert.Equal((HttpStatusCode.OK, "OK"), (status, (string?)body["message"]));
        Assert.Equal(("http/a b", "21"), await client.ReceiveAsync());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Post, "/topics/http/b", "22")).Status);
        Assert.Equal(("http/b", "22"), await client.ReceiveAsync());

        (status, body) = await SendAsync(HttpMethod.Get, "/retainedMessage/http%2Fa%20b");
        Assert.Equal((HttpStatusCode.OK, "MjE=", 1), (status, (string?)body["payload"], (int?)body["qos"]));
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/retainedMessage/http%2Fb")).Status);
    }

    [Fact]
    public async Task A_shadow_is_the_one_of_MQTT()
    {
        await using var client = await MqttTestClient.ConnectAsync(shared.Endpoint, shared.Owner("http"), "http-shadow");
        await client.SubscribeAsync("$aws/things/http-x/shadow/#");

        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/things/http-x/shadow")).Status);
        var (status, body) = await SendAsync(HttpMethod.Post, "/things/http-x/shadow", """{"state":{"desired":{"light":"on"}}}""");
        Assert.Equal((HttpStatusCode.OK, 1), (status, (int?)body["version"]));
        Assert.Equal("on", (string?)JsonNode.Parse(await client.ReceiveAsync("$aws/things/http-x/shadow/update/delta"))!["state"]!["light"]);
        Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync(HttpMethod.Post, "/things/http-x/shadow", "{}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Post, "/things/http-x/shadow?name=n", """{"state":{"desired":{}}}""")).Status);
        (_, body) = await SendAsync(HttpMethod.Get, "/api/things/shadow/ListNamedShadowsForThing/http-x");
        Assert.Equal("""["n"]""", body["results"]!.ToJsonString());
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Delete, "/things/http-x/shadow?name=n")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync(HttpMethod.Get, "/things/http-x/shadow?name=n")).Status);
        Assert.Equal("on", (string?)(await SendAsync(HttpMethod.Get, "/things/http-x/shadow")).Body["state"]!["delta"]!["light"]);
    }

    [Theory]
    [InlineData("POST", "/topics/other%2Fx", 403)]
    [InlineData("POST", "/topics/http%2F%23", 400)]
    [InlineData("POST", "/topics/http%2Fx?qos=2", 400)]
    [InlineData("POST", "/topics/%24aws%2Fthings%2Fhttp-x%2Fshadow%2Fupdate%2Faccepted", 400)]
    [InlineData("GET", "/retainedMessage/other%2Fx", 403)]
    [InlineData("GET", "/things/other/shadow", 403)]
    [InlineData("POST", "/things/other/shadow", 403)]
    [InlineData("DELETE", "/things/other/shadow?name=x", 403)]
    [InlineData("GET", "/things/ht%2Ftp/shadow", 400)]
    [InlineData("GET", "/api/things/shadow/ListNamedShadowsForThing/other", 403)]
    [InlineData("GET", "/topics/http%2Fx", 404)]
    public async Task A_request_beyond_the_policy_or_the_API_is_refused(string method, string target, int status) =>
        Assert.Equal(status, (int)(await SendAsync(new HttpMethod(method), target, method == "POST" ? "{}" : "")).Status);

    [Fact]
    public async Task A_payload_has_AWSs_limit()
    {
        Assert.Equal(HttpStatusCode.OK, (await SendAsync(HttpMethod.Post, "/topics/http%2Flarge", new string('x', 128 * 1024))).Status);
        var (status, _) = await SendAsync(HttpMethod.Post, "/topics/http%2Flarge", new string('x', (128 * 1024) + 1));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
    }

    [Theory]
    [InlineData("iotdevicegateway", "ap-northeast-1", 0)]
    [InlineData("iotdata", "eu-west-1", 0)]
    [InlineData("iotdata", "ap-northeast-1", -6)]
    public async Task A_signature_for_something_else_is_refused(string service, string region, int minutes)
    {
        using var request = SignedRequest.Create(
            shared.Endpoint.Url, service, HttpMethod.Post, "/topics/http%2Fx", "", shared.Owner("http"), region, DateTimeOffset.UtcNow.AddMinutes(minutes));

        using var response = await s_client.SendAsync(request, Cancelled);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
    }

    private async Task<(HttpStatusCode Status, JsonObject Body)> SendAsync(HttpMethod method, string target, string body = "")
    {
        using var request = SignedRequest.Create(shared.Endpoint.Url, "iotdata", method, target, body, shared.Owner("http"));
        using var response = await s_client.SendAsync(request, Cancelled);
        return (response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync(Cancelled))!.AsObject());
    }
}
