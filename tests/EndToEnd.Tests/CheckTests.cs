using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary><c>check</c> says of a folder what a start would say, and starts nothing.</summary>
public sealed class CheckTests
{
    [Fact]
    public async Task The_shipped_folder_is_clean()
    {
        var (exitCode, output) = await GatewayProcess.RunAsync(["check", "--config", Path.Combine(AppContext.BaseDirectory, "appsettings")]);

        Assert.Equal(0, exitCode);
        Assert.StartsWith("Layers, each overriding those before it: appsettings.json ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("warning", output, StringComparison.Ordinal);
        Assert.Contains("\nThe routes in the order they are matched", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_through_which_organizations_meet_is_refused_with_the_two_that_do()
    {
        await using var world = await World.StartAsync();
        using var folder = world.Folder(settings => settings["IotCredentials"]!["OrganizationId"] = new JsonObject { ["Characters"] = "A-Za-z0-9_-" });
        folder.Write("policies/organization.json", """
            { "Version": "2012-10-17", "Statement": [
              { "Effect": "Allow", "Action": "iot:Receive", "Resource": "arn:{partition}:iot:{region}:{accountId}:topic/{organizationId}/*" },
              { "Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:{partition}:iot:{region}:{accountId}:topic/organizations/{organizationId}/*" } ] }
            """);

        var (exitCode, output) = await GatewayProcess.RunAsync(["check", "--config", folder.Path]);

        Assert.Equal(1, exitCode);
        Assert.Matches(@"error IotCredentials:Profiles:default:SessionPolicy \(appsettings\.json:[0-9]+\): policies/organization\.json: Collision: ", output);
        Assert.Contains("`organizations`", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_cannot_be_read()
    {
        var (exitCode, output) = await GatewayProcess.RunAsync(["check", "--config", Path.Combine(AppContext.BaseDirectory, "nowhere")]);

        Assert.Equal(2, exitCode);
        Assert.Contains("nowhere", output, StringComparison.Ordinal);
    }
}
