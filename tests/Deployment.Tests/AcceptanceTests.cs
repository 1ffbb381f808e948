using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary><c>deploy/accept.sh</c> accepts a gateway that is set up well, and names what is wrong with any other.</summary>
public sealed class AcceptanceTests
{
    [Fact]
    public async Task The_linter_of_shell_scripts_finds_nothing()
    {
        var linted = await Tool.RunAsync("shellcheck", [Tool.Deploy("accept.sh")]);

        Assert.True(linted.ExitCode == 0, linted.All);
    }

    [Fact]
    public async Task A_gateway_that_is_set_up_well_is_accepted()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync();

        var accepted = await AcceptAsync(gateway.Url, gateway.ManagementUrl, world.Token("o-acme"));

        Assert.True(accepted.ExitCode == 0, accepted.All);
        Assert.DoesNotContain("FAIL", accepted.Output, StringComparison.Ordinal);
        Assert.EndsWith("\naccepted\n", accepted.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_does_not_respond_is_named()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(static settings =>
            settings["ReverseProxy"]!["Clusters"]!["organizations"]!["Destinations"]!["a"]!["Address"] = $"http://127.0.0.1:{FreePort.Find()}/");

        await FailsAsync(gateway.Url, gateway.ManagementUrl, world.Token("o-acme"),
            """FAIL  the service behind /organizations/o-acme/devices: 2xx: got status 502, {"error":"BadGateway",""");
    }

    [Fact]
    public async Task A_role_that_cannot_be_assumed_is_named()
    {
        await using var world = await World.StartAsync();
        world.Aws.OnlyKnownRoles = true;
        var gateway = await world.StartGatewayProcessAsync();

        await FailsAsync(gateway.Url, gateway.ManagementUrl, world.Token("o-acme"),
            """FAIL  credentials of o-acme: 200, with region, endpoint and credentials: got status 503, {"error":"ServiceUnavailable",""");
    }

    [Fact]
    public async Task A_caller_who_gets_the_other_organization_is_named_without_its_credentials()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync();

        await FailsAsync(gateway.Url, gateway.ManagementUrl, world.Token("o-acme", "o-globex"),
            "FAIL  credentials of o-globex, of which the caller is no member: 403: got status 200\n");
    }

    [Fact]
    public async Task An_issuer_that_the_gateway_does_not_know_is_named()
    {
        await using var world = await World.StartAsync();
        await using var other = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync();

        await FailsAsync(gateway.Url, gateway.ManagementUrl, other.Token("o-acme"),
            """FAIL  credentials of o-acme: 200, with region, endpoint and credentials: got status 401, {"error":"Unauthenticated",""");
    }

    [Fact]
    public async Task A_route_without_authentication_is_named()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(static settings => settings["ReverseProxy"]!["Routes"]!["open"] = new JsonObject
        {
            ["ClusterId"] = "organizations",
            ["AuthorizationPolicy"] = "Anonymous",
            ["Match"] = new JsonObject { ["Path"] = "/catalog" },
        });

        await FailsAsync(gateway.Url, gateway.ManagementUrl, world.Token("o-acme"),
            "FAIL  the service behind /catalog without a token: 401: got status ", KeyValuePair.Create("PASS_THROUGH_PATH", "/catalog"));
    }

    [Fact]
    public async Task A_public_port_that_serves_management_is_named()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync();

        await FailsAsync(gateway.ManagementUrl, gateway.ManagementUrl, world.Token("o-acme"),
            "FAIL  /metrics of management is not on the public port: 404: got status 200\n");
    }

    [Fact]
    public async Task A_gateway_that_is_not_there_is_named()
    {
        var address = $"http://127.0.0.1:{FreePort.Find()}";

        await FailsAsync(address, address, "none", "FAIL  management: /health/live is 200: got no response\n");
    }

    [Theory]
    [InlineData("http://api.example.com", "error: URL is neither https nor on this machine")]
    [InlineData("http://localhost.example.com", "error: URL is neither https nor on this machine")]
    [InlineData("http://127.0.0.1:8080", "error: TOKEN is not set")]
    public async Task Wrong_usage_sends_nothing(string url, string error)
    {
        var token = error.Contains("TOKEN", StringComparison.Ordinal) ? "" : "none";

        var result = await AcceptAsync(url, "http://127.0.0.1:9090", token);

        Assert.Equal((2, ""), (result.ExitCode, result.Output));
        Assert.StartsWith(error, result.Error, StringComparison.Ordinal);
    }

    private static async Task FailsAsync(
        string url, string managementUrl, string token, string line, params KeyValuePair<string, string>[] environment)
    {
        var result = await AcceptAsync(url, managementUrl, token, environment);

        Assert.True(result.ExitCode == 1, result.All);
        Assert.Contains(line, result.Output, StringComparison.Ordinal);
        Assert.Matches("\nnot accepted: [0-9]+ failed\n$", result.Output);
    }

    private static async Task<ToolResult> AcceptAsync(string url, string managementUrl, string token, params KeyValuePair<string, string>[] environment)
    {
        var result = await Tool.RunAsync("bash", [Tool.Deploy("accept.sh"), url, managementUrl],
        [
            new("TOKEN", token), new("ORGANIZATION", "o-acme"), new("OTHER_ORGANIZATION", "o-globex"), .. environment,
        ]);
        IssuedSecrets.Check("accept.sh", result.All);
        return result;
    }
}
