using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>The partitions beside <c>aws</c>, end to end.</summary>
public sealed class AwsPartitionTests
{
    private const string WebIdentity = "web identity";
    private const string Directory = "directory";

    // The last column: how the gateway gets its own identity, and who names the region.
    public static IEnumerable<TheoryDataRow<string, string, string, string>> Regions => Sample.Of<TheoryDataRow<string, string, string, string>>(3,
    [
        new("aws-cn", "cn-north-1", "amazonaws.com.cn", "keys"),
        new("aws-cn", "cn-northwest-1", "amazonaws.com.cn", WebIdentity),
        new("aws-cn", "cn-north-1", "amazonaws.com.cn", Directory),
        new("aws-us-gov", "us-gov-west-1", "amazonaws.com", Directory),
        new("aws-us-gov", "us-gov-east-1", "amazonaws.com", WebIdentity),
        new("aws-eusc", "eusc-de-east-1", "amazonaws.eu", Directory),
        new("aws-iso", "us-iso-west-1", "c2s.ic.gov", "keys"),
        new("aws-iso-b", "us-isob-east-1", "sc2s.sgov.gov", Directory),
        new("aws-iso-e", "eu-isoe-west-1", "cloud.adc-e.uk", "keys"),
        new("aws-iso-f", "us-isof-south-1", "csp.hci.ic.gov", Directory),
        new("aws", "eu-south-2", "amazonaws.com", WebIdentity),
        new("aws", "ap-southeast-5", "amazonaws.com", Directory),
    ]);

    [Theory]
    [MemberData(nameof(Regions))]
    public async Task P_a_session_an_endpoint_and_a_policy_are_of_the_partition(string partition, string region, string domain, string way)
    {
        await using var world = await World.StartAsync();
        await using var cluster = await OpenIdProvider.StartAsync();
        var key = world.Aws.AddBaseCredentials(
            "AKIAIOSFODNN7PARTITN", Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(20)), "111122223333", partition);
        world.Aws.AddIdentityProvider("111122223333", cluster.Issuer, $"sts.{domain}");
        world.Aws.AddRole(new AwsRole($"arn:{partition}:iam::111122223333:role/gateway", WebIdentitySubject: "gateway"));
        world.Downstream.Directory.Move("o-acme", "111122223333", region);
        var folder = world.Folder(settings =>
        {
            var place = way == Directory ? "arn:{partition}:iam::{accountId}" : $"arn:{partition}:iam::111122223333";
            settings.WithoutRedis()
                .Set("IotCredentials:Profiles:default:Region", $"\"{region}\"")
                .Set("IotCredentials:Profiles:default:EndpointRoleArn", $"\"{place}:role/endpoint\"")
                .Set("IotCredentials:Profiles:default:RoleArn", $"\"{place}:role/{{organizationId}}/iot\"")
                .Set("IotCredentials:Profiles:default:SessionTags", """{ "organizationId": "{organizationId}" }""");
            if (way != Directory) return;
            settings.Set("IotCredentials:Directory", $$"""
                { "Address": "{{world.Downstream.Url}}/organizations/{organizationId}", "AllowedAccounts": ["111122223333"] }
                """).Set("IotCredentials:Profiles:default:SessionTags", """{ "place": "{partition} {region}" }""");
            settings["IotCredentials"]!["Profiles"]!["default"]!.AsObject().Remove("Region");
        });
        folder.Write("web-identity", cluster.Issue(new TokenRequest { Subject = "gateway", Audiences = [$"sts.{domain}"] }));
        Dictionary<string, string> environment = way == WebIdentity
            ? new()
            {
                ["AWS_WEB_IDENTITY_TOKEN_FILE"] = Path.Combine(folder.Path, "web-identity"),
                ["AWS_ROLE_ARN"] = $"arn:{partition}:iam::111122223333:role/gateway",
            }
            : new() { ["AWS_ACCESS_KEY_ID"] = key.AccessKeyId, ["AWS_SECRET_ACCESS_KEY"] = key.SecretAccessKey };
        environment["AWS_REGION"] = region;
        environment["AWS_ENDPOINT_URL_STS"] = environment["AWS_ENDPOINT_URL_IOT"] = world.Aws.Url;
        await using var gateway = await GatewayProcess.StartAsync(folder, environment);

        var answer = await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath("o-acme"), world.Token("o-acme"));

        Assert.True(answer.Status == 200, $"{answer.Body}\n{gateway.Output}");
        var endpoint = answer.Data.GetProperty("iotEndpoint").GetString()!;
        Assert.EndsWith($"-ats.iot.{region}.{domain}", endpoint, StringComparison.Ordinal);
        Assert.Equal(AwsEmulator.IotEndpoint("111122223333", region), endpoint);
        var session = Assert.Single(world.Aws.Calls.Snapshot(), call => call.AssumeRole?.RoleArn == $"arn:{partition}:iam::111122223333:role/o-acme/iot");
        Assert.Contains($"arn:{partition}:iot:{region}:111122223333:", session.AssumeRole!.Policy, StringComparison.Ordinal);
        if (way == Directory) Assert.Equal([new("place", $"{partition} {region}")], session.AssumeRole.Tags);
        Assert.StartsWith($"arn:{partition}:sts::111122223333:assumed-role/", session.Issued!.Arn, StringComparison.Ordinal);
        Assert.All(world.Aws.Calls.Snapshot().Where(call => call.AccessKeyId.Length > 0), call => Assert.Equal(region, call.Region));
    }
}
