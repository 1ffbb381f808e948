using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>Which region a call is signed for, and where it goes, whatever says the address.</summary>
public sealed class AwsAddressTests
{
    public static IEnumerable<TheoryDataRow<string, string, string>> Addresses => Sample.Of<TheoryDataRow<string, string, string>>(2,
    [
        new("D6 each service's variable", "AWS_ENDPOINT_URL_STS=HERE AWS_ENDPOINT_URL_IOT=HERE", ""),
        new("D6 one variable for all services", "AWS_ENDPOINT_URL=HERE", ""),
        new("D6 a profile's services", "",
            "[default]\nregion = us-east-1\nservices = here\n[services here]\nsts =\n  endpoint_url = HERE\niot =\n  endpoint_url = HERE\n"),
        new("D6 a profile's address", "", "[default]\nregion = us-east-1\nendpoint_url = HERE\n"),
        new("D6 a named profile's address beside a variable for one service", "AWS_PROFILE=named AWS_ENDPOINT_URL_STS=HERE",
            "[profile named]\nendpoint_url = HERE\n"),
    ]);

    [Theory]
    [MemberData(nameof(Addresses))]
    public async Task D6_a_call_is_signed_for_the_region_of_its_profile(string name, string variables, string config)
    {
        await using var world = await World.StartAsync();
        var folder = world.Folder(settings => settings.WithoutRedis()
            .Set("IotCredentials:Profiles:default:Region", "\"ca-central-1\"")
            .Set(
                "IotCredentials:Organizations",
                """{ "o-far": { "Region": "eu-west-1" },"""
                    + """ "o-other": { "EndpointRoleArn": "arn:aws:iam::111122223333:role/describe", "Region": "sa-east-1" } }"""));
        folder.Write("aws-config", config.Replace("HERE", world.Aws.Url, StringComparison.Ordinal));
        var environment = variables.Replace("HERE", world.Aws.Url, StringComparison.Ordinal)
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(variable => variable.Split('=', 2))
            .ToDictionary(variable => variable[0], variable => variable[1]);
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
            Assert.Contains(region, answer.Data.GetProperty("iotEndpoint").GetString(), StringComparison.Ordinal);
        }
    }

    public static IEnumerable<TheoryDataRow<string, string, string, string, string, string>> Settings =>
        Sample.Of<TheoryDataRow<string, string, string, string, string, string>>(3,
        [
            new("D8 nothing said", "", "", "eu-west-1", "sts.eu-west-1.amazonaws.com", "iot.eu-west-1.amazonaws.com"),
            new("D8 FIPS", "AWS_USE_FIPS_ENDPOINT=true", "", "us-east-2", "sts-fips.us-east-2.amazonaws.com", "iot-fips.us-east-2.amazonaws.com"),
            new("D8 dual stack", "AWS_USE_DUALSTACK_ENDPOINT=true", "", "eu-west-1", "sts.eu-west-1.api.aws", "iot.eu-west-1.api.aws"),
            new("D8 both", "AWS_USE_FIPS_ENDPOINT=true AWS_USE_DUALSTACK_ENDPOINT=true", "", "ca-central-1", "sts-fips.ca-central-1.api.aws",
                "iot-fips.ca-central-1.api.aws"),
            new("D8 FIPS in a file", "", "[default]\nuse_fips_endpoint = true\n", "us-west-2", "sts-fips.us-west-2.amazonaws.com",
                "iot-fips.us-west-2.amazonaws.com"),
            new("D8 dual stack in a file", "AWS_PROFILE=dev", "[profile dev]\nuse_dualstack_endpoint = true\n", "us-west-2", "sts.us-west-2.api.aws",
                "iot.us-west-2.api.aws"),
            new("D8 FIPS in GovCloud", "AWS_USE_FIPS_ENDPOINT=true", "", "us-gov-west-1", "sts.us-gov-west-1.amazonaws.com",
                "iot-fips.us-gov-west-1.amazonaws.com"),
            new("D8 China", "", "", "cn-north-1", "sts.cn-north-1.amazonaws.com.cn", "iot.cn-north-1.amazonaws.com.cn"),
            new("D8 dual stack in China", "AWS_USE_DUALSTACK_ENDPOINT=true", "", "cn-northwest-1", "sts.cn-northwest-1.api.amazonwebservices.com.cn",
                "iot.cn-northwest-1.api.amazonwebservices.com.cn"),
            new("D8 FIPS in China", "AWS_USE_FIPS_ENDPOINT=true", "", "cn-north-1", "sts-fips.cn-north-1.amazonaws.com.cn",
                "iot-fips.cn-north-1.amazonaws.com.cn"),
            new("D8 both in GovCloud", "AWS_USE_FIPS_ENDPOINT=true AWS_USE_DUALSTACK_ENDPOINT=true", "", "us-gov-east-1",
                "sts-fips.us-gov-east-1.api.aws", "iot-fips.us-gov-east-1.api.aws"),
            new("D8 FIPS in the European Sovereign Cloud", "AWS_USE_FIPS_ENDPOINT=true", "", "eusc-de-east-1", "sts-fips.eusc-de-east-1.amazonaws.eu",
                "iot-fips.eusc-de-east-1.amazonaws.eu"),
            new("D8 an isolated partition", "", "", "us-isob-east-1", "sts.us-isob-east-1.sc2s.sgov.gov", "iot.us-isob-east-1.sc2s.sgov.gov"),
            new("D8 dual stack in a region to opt in to", "AWS_USE_DUALSTACK_ENDPOINT=true", "", "ap-southeast-5", "sts.ap-southeast-5.api.aws",
                "iot.ap-southeast-5.api.aws"),
            new("D8 FIPS in a region to opt in to", "AWS_USE_FIPS_ENDPOINT=true", "", "eu-south-2", "sts-fips.eu-south-2.amazonaws.com",
                "iot-fips.eu-south-2.amazonaws.com"),
        ]);

    [Theory]
    [MemberData(nameof(Settings))]
    public async Task D8_the_addresses_of_STS_and_AWS_IoT_follow_the_same_settings(
        string name, string variables, string config, string region, string sts, string iot)
    {
        await using var proxy = new StubTcpServer("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", closes: true);

        var output = await DoctorAsync(variables, config, region, proxy);

        var targets = proxy.Received.Select(head => head.Split(' ')[1]).Distinct().Order();
        Assert.Equal(
            [$"{iot}:443", $"{sts}:443"],
            targets.Where(target => target.StartsWith("iot", StringComparison.Ordinal) || target.StartsWith("sts", StringComparison.Ordinal)));
        Assert.True(output.Contains($"the proxy 127.0.0.1:{proxy.Port} does not let it pass (407)", StringComparison.Ordinal), $"{name}: {output}");
    }

    [Theory]
    [InlineData("D8 FIPS beside an address", "AWS_USE_FIPS_ENDPOINT=true AWS_ENDPOINT_URL=http://127.0.0.1:1")]
    [InlineData("D8 dual stack beside an address", "AWS_USE_DUALSTACK_ENDPOINT=true AWS_ENDPOINT_URL=http://127.0.0.1:1")]
    [InlineData(
        "D8 both beside each service's address", "AWS_USE_FIPS_ENDPOINT=true AWS_ENDPOINT_URL_STS=http://127.0.0.1:1 AWS_ENDPOINT_URL_IOT=http://127.0.0.1:1")]
    public async Task D8_settings_that_exclude_each_other_are_said(string name, string variables)
    {
        await using var proxy = new StubTcpServer("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", closes: true);

        var output = await DoctorAsync(variables, "", "us-east-2", proxy);

        foreach (var row in (string[])["STS us-east-2", "IoT endpoint of default"])
        {
            var line = output.Split('\n').Single(line => line.StartsWith(row, StringComparison.Ordinal));
            Assert.True(
                line.Contains("FIPS and dual-stack endpoints exclude an address of one's own", StringComparison.Ordinal)
                    && line.Contains("IotEndpoint", StringComparison.Ordinal),
                $"{name}: {line}");
        }
    }

    private static async Task<string> DoctorAsync(string variables, string config, string region, StubTcpServer proxy)
    {
        await using var world = await World.StartAsync();
        var partition = Amazon.RegionEndpoint.GetBySystemName(region).PartitionName;
        using var folder = world.Folder(settings => settings.WithoutRedis()
            .Set("IotCredentials:Profiles:default:Region", $"\"{region}\"")
            .Set("IotCredentials:Profiles:default:RoleArn", $"\"arn:{partition}:iam::111122223333:role/iot-organization\""));
        folder.Write("aws-config", config);
        var environment = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(variable => variable.Split('=', 2))
            .ToDictionary(variable => variable[0], variable => variable[1]);
        environment["AWS_ACCESS_KEY_ID"] = world.Aws.BaseCredentials.AccessKeyId;
        environment["AWS_SECRET_ACCESS_KEY"] = world.Aws.BaseCredentials.SecretAccessKey;
        environment["AWS_REGION"] = "us-east-1";
        environment["AWS_CONFIG_FILE"] = Path.Combine(folder.Path, "aws-config");
        environment["HTTPS_PROXY"] = $"http://user:hunter2@127.0.0.1:{proxy.Port}";
        var (_, output) = await GatewayProcess.RunAsync(["doctor", "--config", folder.Path, "--timeout", "100"], environment);
        Assert.DoesNotContain("hunter2", output, StringComparison.Ordinal);
        return output;
    }
}
