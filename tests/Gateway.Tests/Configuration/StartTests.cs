using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A configuration that is wrong, as the process that an operator starts says it.</summary>
public sealed class StartTests(StartTests.Shared shared) : IClassFixture<StartTests.Shared>
{
    [Fact]
    public async Task Every_error_is_said_on_a_line_with_its_key_and_nothing_listens()
    {
        var (exitCode, lines) = await RunAsync(settings => settings
            .Set("Authentication:Schemes:Platform:ValidAudiences", "[]")
            .Set("ReverseProxy:Routes:organizations:AuthorisationPolicy", "\"OrganizationMember\"")
            .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:Metadata:Profile", "\"none\"")
            .Set("IotCredentials:Profiles:default:SessionDuration", "\"00:01:00\"")
            .Route("open", "/open/{organizationId}", """{ "AuthorizationPolicy": "Anonymous" }"""));

        Assert.Equal(1, exitCode);
        foreach (var key in (string[])
        [
            "Authentication:Schemes:Platform:ValidAudiences",
            "ReverseProxy:Routes:organizations:AuthorisationPolicy",
            "ReverseProxy:Routes:iot-endpoint-and-credentials:Metadata:Profile",
            "IotCredentials:Profiles:default:SessionDuration",
            "ReverseProxy:Routes:open:AuthorizationPolicy",
        ])
        {
            Assert.Contains(lines, line => line.StartsWith($"error {key} (", StringComparison.Ordinal));
        }

        Assert.All(lines, line => Assert.Matches("^(error|warning) ", line));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"Default\"")]
    [InlineData("\"Anonymous\"")]
    [InlineData("\"Operator\"")]
    public async Task A_module_route_without_a_membership_policy_does_not_start(string policy)
    {
        var (exitCode, lines) = await RunAsync(settings => settings
            .Set("Authorization:Policies:Operator", """{ "Roles": ["operator"] }""")
            .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:AuthorizationPolicy", policy));

        Assert.Equal(1, exitCode);
        var error = Assert.Single(lines, line => line.StartsWith("error ", StringComparison.Ordinal));
        Assert.StartsWith("error ReverseProxy:Routes:iot-endpoint-and-credentials:AuthorizationPolicy (", error, StringComparison.Ordinal);
    }

    private async Task<(int ExitCode, string[] Lines)> RunAsync(Action<JsonObject> change)
    {
        using var folder = shared.World.Folder(change);
        var (exitCode, output) = await GatewayProcess.RunAsync(["--config", folder.Path], shared.World.Aws.EnvironmentVariables);
        Assert.DoesNotContain("listening", output, StringComparison.OrdinalIgnoreCase);
        return (exitCode, output.Split('\n'));
    }

    public sealed class Shared : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public async ValueTask InitializeAsync() => World = await World.StartAsync();

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }
}
