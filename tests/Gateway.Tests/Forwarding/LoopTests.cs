using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>A request that comes back is refused the first time.</summary>
public sealed class LoopTests(LoopTests.Gateways platform) : IClassFixture<LoopTests.Gateways>
{
    [Theory]
    [InlineData("A13 to itself", "/itself/1")]
    [InlineData("A13 by a gateway of another configuration", "/around/1")]
    [InlineData("A13 to a replica and back", "/replica/1")]
    public async Task A_request_that_comes_back_is_508(string name, string path)
    {
        var answer = await platform.SendAsync(path);

        Assert.True(answer.Status == 508, $"{name}: {answer.Status} {answer.Body}");
        ErrorResponseAssert.Matches(508, "LoopDetected", answer);
    }

    [Theory]
    [InlineData("A13 before authentication", "/plain/1", null)]
    [InlineData("A13 among others, in other letters", "/open/1", "1.0 fred, 2.0 {0} (a \"comment\"), 1.1 last")]
    public async Task A_Via_that_names_the_gateway_is_508(string name, string path, string? via)
    {
        var own = (await ViaAsync("/open/name")).Split(' ')[1];

        var answer = await platform.SendAsync(path, change: request =>
            request.Headers.TryAddWithoutValidation("Via", string.Format(null, System.Text.CompositeFormat.Parse(via ?? "1.1 {0}"), own.ToUpperInvariant())));

        Assert.True(answer.Status == 508, $"{name}: {answer.Status}");
    }

    [Fact]
    public async Task A13_a_clients_Via_is_continued_and_responses_have_none_of_the_gateways()
    {
        Assert.Matches("^1[.]0 fred [(]a, b[)], 1[.]1 other, 1[.]1 iot-gateway-[0-9a-f]{12}$", await ViaAsync("/open/via", "1.0 fred (a, b)", "1.1 other"));
        Assert.False((await platform.SendAsync("/open/via")).Headers.Contains("Via"));
    }

    [Fact]
    public async Task A13_a_transform_takes_no_Via_away() => Assert.Matches("^1[.]1 before, 1[.]1 iot-gateway-", await ViaAsync("/without/via", "1.1 before"));

    [Fact]
    public async Task A13_two_gateways_may_stand_in_a_row()
    {
        var via = await ViaAsync("/through/x");

        Assert.Matches("^1[.]1 iot-gateway-([0-9a-f]{12}), 1[.]1 iot-gateway-(?!\\1)[0-9a-f]{12}$", via);
    }

    private async Task<string> ViaAsync(string path, params string[] via)
    {
        var target = $"{path}?{Guid.NewGuid():N}";
        var answer = await platform.SendAsync(target, change: request => request.Headers.TryAddWithoutValidation("Via", via));
        Assert.True(answer.Status == 200, answer.Body);
        return string.Join(", ", Assert.Single(
            platform.World.Downstream.Requests.Snapshot(),
            received => received.Target.EndsWith(target.Split('?')[1], StringComparison.Ordinal)).Headers["Via"]);
    }

    public sealed class Gateways : PlatformFixture
    {
        private readonly int _port = FreePort.Find();
        private readonly int _replicaPort = FreePort.Find();
        private readonly int _otherPort = FreePort.Find();

        protected override async ValueTask PrepareAsync()
        {
            await World.StartGatewayAsync(settings => Routes(settings.WithoutRedis(), _replicaPort));
            await World.StartGatewayAsync(settings => settings.WithoutRedis()
                .Set("Urls", $"\"http://127.0.0.1:{_otherPort}\"")
                .Set("ReverseProxy:Clusters:back", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{_port}}/" } } }""")
                .Route("back", "/around/{**rest}", """{ "ClusterId": "back", "AuthorizationPolicy": "Anonymous" }""")
                .Route("on", "/through/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }"""));
        }

        protected override void Change(JsonObject settings)
        {
            foreach (var route in (string[])["plain", "reports", "operators", "any", "trusted"]) settings["ReverseProxy"]!["Routes"]!.AsObject().Remove(route);
            Routes(settings, _port);
        }

        private void Routes(JsonObject settings, int port)
        {
            settings["ReverseProxy"]!["Routes"]!.AsObject().Remove("iot-endpoint-and-credentials");
            settings.Set("Urls", $"\"http://127.0.0.1:{port}\"")
                .Route("open", "/open/{**rest}", """{ "AuthorizationPolicy": "Anonymous" }""")
                .Route("plain", "/plain/{**rest}")
                .Route("without", "/without/{**rest}", """{ "AuthorizationPolicy": "Anonymous", "Transforms": [{ "RequestHeadersCopy": "false" }] }""");
            foreach (var (name, target) in new[] { ("itself", _port), ("replica", _replicaPort), ("around", _otherPort), ("through", _otherPort) })
            {
                settings.Set($"ReverseProxy:Clusters:{name}", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{target}}/" } } }""")
                    .Route(name, $"/{name}/{{**rest}}", $$"""{ "ClusterId": "{{name}}", "AuthorizationPolicy": "Anonymous" }""");
            }
        }
    }
}
