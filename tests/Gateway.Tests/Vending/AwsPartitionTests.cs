using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>The partitions beside <c>aws</c>, end to end.</summary>
public sealed class AwsPartitionTests
{
    [Theory]
    [InlineData("aws-cn", "cn-north-1", "amazonaws.com.cn", false)]
    [InlineData("aws-cn", "cn-northwest-1", "amazonaws.com.cn", true)]
    [InlineData("aws-us-gov", "us-gov-west-1", "amazonaws.com", false)]
    [InlineData("aws-us-gov", "us-gov-east-1", "amazonaws.com", true)]
    [InlineData("aws", "eu-south-2", "amazonaws.com", true)]
    public async Task P_a_session_an_endpoint_and_a_policy_are_of_the_partition(string partition, string region, string domain, bool byWebIdentity)
    {
        await using var world = await World.StartAsync();
        await using var cluster = await OpenIdProvider.StartAsync();
        var key = world.Aws.AddBaseCredentials(
            "AKIAIOSFODNN7PARTITN", Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(20)), "111122223333", partition);
        world.Aws.AddIdentityProvider("111122223333", cluster.Issuer, $"sts.{domain}");
        world.Aws.AddRole(new AwsRole($"arn:{partition}:iam::111122223333:role/gateway", WebIdentitySubject: "gateway"));
        var folder = world.Folder(settings => settings.WithoutRedis()
            .Set("IotCredentials:Profiles:default:Region", $"\"{region}\"")
            .Set("IotCredentials:Profiles:default:EndpointRoleArn", $"\"arn:{partition}:iam::111122223333:role/endpoint\"")
            .Set("IotCredentials:Profiles:default:RoleArn", $"\"arn:{partition}:iam::111122223333:role/{{organizationId}}/iot\""));
        folder.Write("web-identity", cluster.Issue(new TokenRequest { Subject = "gateway", Audiences = [$"sts.{domain}"] }));
        Dictionary<string, string> environment = byWebIdentity
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
        Assert.Equal($"{AwsEmulator.IotEndpoint("111122223333", region)}", answer.Json.GetProperty("data").GetProperty("iotEndpoint").GetString());
        Assert.EndsWith($".iot.{region}.{domain}", AwsEmulator.IotEndpoint("111122223333", region), StringComparison.Ordinal);
        var session = Assert.Single(world.Aws.Calls.Snapshot(), call => call.AssumeRole?.RoleArn == $"arn:{partition}:iam::111122223333:role/o-acme/iot");
        Assert.Contains($"arn:{partition}:iot:{region}:111122223333:", session.AssumeRole!.Policy, StringComparison.Ordinal);
        Assert.StartsWith($"arn:{partition}:sts::111122223333:assumed-role/", session.Issued!.Arn, StringComparison.Ordinal);
        Assert.All(world.Aws.Calls.Snapshot().Where(call => call.AccessKeyId.Length > 0), call => Assert.Equal(region, call.Region));
    }
}
