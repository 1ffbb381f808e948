using System.Text.Json;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class AssumeRoleTests
{
    [Fact]
    public async Task STS_is_asked_for_what_the_profile_says_and_for_that_organization_alone()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings =>
        {
            var profile = settings["IotCredentials"]!["Profiles"]!["default"]!;
            profile["RoleArn"] = "arn:aws:iam::444455556666:role/iot/{organizationId}/devices";
            profile["Region"] = "eu-west-1";
            profile["IotEndpoint"] = "abc-ats.iot.eu-west-1.amazonaws.com";
            profile["ExternalId"] = "platform/{organizationId}";
            profile["SessionDuration"] = "00:45:00";
            profile["MinimumLifetime"] = "00:10:00";
            profile["SessionTags"] = new JsonObject { ["organizationId"] = "{organizationId}", ["stage"] = "test" };
        });

        var answer = await gateway.VendAsync("o-acme");

        Assert.Equal(200, answer.Status);
        Assert.Equal("eu-west-1", answer.Data.GetProperty("awsRegion").GetString());
        var call = Assert.Single(world.Aws.Calls.Snapshot(), call => call.Action == "AssumeRole");
        Assert.Null(call.ErrorCode);
        Assert.Equal("eu-west-1", call.Region);
        Assert.Equal(world.Aws.BaseCredentials.AccessKeyId, call.AccessKeyId);
        var input = call.AssumeRole!;
        Assert.Equal("arn:aws:iam::444455556666:role/iot/o-acme/devices", input.RoleArn);
        Assert.Equal("platform/o-acme", input.ExternalId);
        Assert.Equal(2700, input.DurationSeconds);
        Assert.Equal("o-acme", input.RoleSessionName);
        Assert.Equal([new("organizationId", "o-acme"), new("stage", "test")], input.Tags);
        Assert.All(ResourcesOf(input.Policy!), resource => Assert.Contains("o-acme", resource));
        Assert.Contains("arn:aws:iot:eu-west-1:444455556666:client/o-acme-web-*", ResourcesOf(input.Policy!));
        Assert.DoesNotContain(input.Policy!, char.IsWhiteSpace);
    }

    [Fact]
    public async Task Two_organizations_never_share_credentials()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => gateway.VendAsync($"o-{i % 10}")));

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        var issued = world.Aws.Calls.Snapshot()
            .Where(call => call.Action == "AssumeRole")
            .ToDictionary(call => call.AssumeRole!.RoleSessionName!, call => call.Issued!.AccessKeyId);
        Assert.Equal(10, issued.Count);
        for (var i = 0; i < answers.Length; i++) Assert.Equal(issued[$"o-{i % 10}"], answers[i].AccessKeyId);
    }

    [Fact]
    public async Task An_organizations_own_entry_wins_over_the_profile_and_is_told_apart_by_case()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings["IotCredentials"]!["Organizations"] = JsonNode.Parse("""
            { "o-Dedicated": { "RoleArn": "arn:aws:iam::444455556666:role/iot", "Region": "eu-west-1", "IotEndpoint": "abc-ats.iot.eu-west-1.amazonaws.com" } }
            """));

        var dedicated = await gateway.VendAsync("o-Dedicated");
        var other = await gateway.VendAsync("o-dedicated");

        Assert.Equal("abc-ats.iot.eu-west-1.amazonaws.com", dedicated.Data.GetProperty("iotEndpoint").GetString());
        Assert.Equal("eu-west-1", dedicated.Data.GetProperty("awsRegion").GetString());
        Assert.Equal("ap-northeast-1", other.Data.GetProperty("awsRegion").GetString());
        Assert.Equal(
            ["arn:aws:iam::444455556666:role/iot", "arn:aws:iam::111122223333:role/iot-organization"],
            world.Aws.Calls.Snapshot().Where(call => call.Action == "AssumeRole").Select(call => call.AssumeRole!.RoleArn));
    }

    [Fact]
    public async Task The_endpoint_of_another_account_is_asked_with_that_accounts_role()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings =>
            settings.Set("IotCredentials:Profiles:default:EndpointRoleArn", "\"arn:aws:iam::777788889999:role/describe\"")
                .Set("IotCredentials:Profiles:default:RoleArn", "\"arn:aws:iam::777788889999:role/iot-organization\""));

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => gateway.VendAsync($"o-{i}")));

        var expected = Sandbox.AwsEmulator.IotEndpoint("777788889999", "ap-northeast-1");
        Assert.All(answers, answer => Assert.Equal(expected, answer.Data.GetProperty("iotEndpoint").GetString()));
        Assert.Equal(1, world.Aws.Count("DescribeEndpoint"));
    }

    [Theory]
    [InlineData("D7 a profile", "Profiles:default:RoleArn", "\"arn:aws:iam::444455556666:role/iot\"")]
    [InlineData("D7 an organization's entry", "Organizations:o-acme", """{ "RoleArn": "arn:aws:iam::444455556666:role/iot" }""")]
    [InlineData(
        "D7 an entry in another region", "Organizations:o-acme", """{ "RoleArn": "arn:aws:iam::444455556666:role/iot", "Region": "eu-west-1" }""")]
    [InlineData(
        "D7 an entry beside a directory", "Organizations:o-acme", """{ "RoleArn": "arn:aws:iam::444455556666:role/iot", "Region": "eu-west-1" }""",
        """{ "Address": "http://127.0.0.1:1/{organizationId}", "AllowedAccounts": ["111122223333"] }""")]
    public async Task D7_a_session_of_another_account_is_not_sent_to_the_endpoint_of_the_gateways_own(
        string name, string key, string value, string? directory = null)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings =>
        {
            settings.Set($"IotCredentials:{key}", value);
            if (directory is not null) settings.Set("IotCredentials:Directory", directory);
        });

        Assert.Equal((name, 503), (name, (await gateway.VendAsync("o-acme")).Status));
        await gateway.Log.WaitForAsync(
            Microsoft.Extensions.Logging.LogLevel.Error,
            "AWS IoT would name the endpoint of the account 111122223333, the gateway's own, and the organization's is 444455556666: set EndpointRoleArn");
        Assert.Equal(0, world.Aws.Count("DescribeEndpoint"));
    }

    [Theory]
    [InlineData("D10 the account's external id", "account-1", "account-1")]
    [InlineData("D10 an organization's is none of the account's", "x-{organizationId}", null)]
    [InlineData("D10 none", null, null)]
    public async Task D10_the_role_that_asks_for_the_endpoint_is_assumed_with_the_external_id(string name, string? externalId, string? asked)
    {
        const string Role = "arn:aws:iam::111122223333:role/describe";
        await using var world = await World.StartAsync();
        world.Aws.AddRole(new Sandbox.AwsRole(Role, ExternalId: asked));
        var gateway = await world.StartGatewayAsync(settings =>
        {
            settings.Set("IotCredentials:Profiles:default:EndpointRoleArn", $"\"{Role}\"");
            if (externalId is not null) settings.Set("IotCredentials:Profiles:default:ExternalId", $"\"{externalId}\"");
        });

        Assert.Equal((name, 200), (name, (await gateway.VendAsync("o-acme")).Status));
        Assert.Equal(asked, Assert.Single(world.Aws.Calls.Snapshot(), call => call.AssumeRole?.RoleArn == Role).AssumeRole!.ExternalId);
    }

    private static IEnumerable<string> ResourcesOf(string policy)
    {
        foreach (var statement in JsonDocument.Parse(policy).RootElement.GetProperty("Statement").EnumerateArray())
        {
            var resource = statement.GetProperty("Resource");
            if (resource.ValueKind == JsonValueKind.String) yield return resource.GetString()!;
            else foreach (var item in resource.EnumerateArray()) yield return item.GetString()!;
        }
    }
}
