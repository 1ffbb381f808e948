using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>Which region a call is signed for, and where it goes, whatever says the address.</summary>
public sealed class AwsAddressTests
{
    [Theory]
    [InlineData("D6 each service's variable", "AWS_ENDPOINT_URL_STS=HERE AWS_ENDPOINT_URL_IOT=HERE", "")]
    [InlineData("D6 one variable for all services", "AWS_ENDPOINT_URL=HERE", "")]
    [InlineData("D6 a profile's services", "", "[default]\nregion = us-east-1\nservices = here\n[services here]\nsts =\n  endpoint_url = HERE\niot =\n  endpoint_url = HERE\n")]
    [InlineData("D6 a profile's address", "", "[default]\nregion = us-east-1\nendpoint_url = HERE\n")]
    [InlineData("D6 a named profile's address beside a variable for one service", "AWS_PROFILE=named AWS_ENDPOINT_URL_STS=HERE", "[profile named]\nendpoint_url = HERE\n")]
    public async Task D6_a_call_is_signed_for_the_region_of_its_profile(string name, string variables, string config)
    {
        await using var world = await World.StartAsync();
        var folder = world.Folder(settings => settings.WithoutRedis()
            .Set("IotCredentials:Profiles:default:Region", "\"ca-central-1\"")
            .Set("IotCredentials:Organizations", """{ "o-far": { "Region": "eu-west-1" }, "o-other": { "EndpointRoleArn": "arn:aws:iam::111122223333:role/describe", "Region": "sa-east-1" } }"""));
        folder.Write("aws-config", config.Replace("HERE", world.Aws.Url, StringComparison.Ordinal));
        var environment = variables.Replace("HERE", world.Aws.Url, StringComparison.Ordinal)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(variable => variable.Split('=', 2)).ToDictionary(variable => variable[0], variable => variable[1]);
        environment["AWS_ACCESS_KEY_ID"] = world.Aws.BaseCredentials.AccessKeyId;
        environment["AWS_SECRET_ACCESS_KEY"] = world.Aws.BaseCredentials.SecretAccessKey;
        environment["AWS_REGION"] = "us-east-1";
        environment["AWS_CONFIG_FILE"] = Path.Combine(folder.Path, "aws-config");
        await using var gateway = await GatewayProcess.StartAsync(folder, environment);

        foreach (var (organization, region) in ((string, string)[])[("o-near", "ca-central-1"), ("o-far", "eu-west-1"), ("o-other", "sa-east-1")])
        {
            world.Aws.Calls.Clear();
            var answer = await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), world.Token(organization));

            Assert.True(answer.Status == 200, $"{name}: {answer.Body}\n{gateway.Output}");
            Assert.All(world.Aws.Calls.Snapshot(), call => Assert.Equal((name, region), (name, call.Region)));
            Assert.Contains(world.Aws.Calls.Snapshot(), call => call.Action == "AssumeRole");
            Assert.Contains(world.Aws.Calls.Snapshot(), call => call.Action == "DescribeEndpoint");
            Assert.Contains(region, answer.Json.GetProperty("data").GetProperty("iotEndpoint").GetString(), StringComparison.Ordinal);
        }
    }
}
