using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class CredentialRouteTests
{
    [Fact]
    public async Task A_member_gets_its_organizations_endpoint_and_credentials()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync();

        var answer = await gateway.VendAsync("o-acme");

        Assert.True(answer.Status == 200, answer.Body + "\n" + gateway.Log.Text);
        Assert.Equal("application/json", answer.ContentHeaders.ContentType!.ToString());
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        Assert.Equal(["data"], answer.Json.EnumerateObject().Select(member => member.Name));
        var data = answer.Data;
        Assert.Equal(["awsRegion", "iotEndpoint", "credentials"], data.EnumerateObject().Select(member => member.Name));
        Assert.Equal(["accessKeyId", "secretAccessKey", "sessionToken", "expiration"], answer.Credentials.EnumerateObject().Select(member => member.Name));
        Assert.Equal("ap-northeast-1", data.GetProperty("awsRegion").GetString());
        Assert.Equal(Sandbox.AwsEmulator.IotEndpoint("111122223333", "ap-northeast-1"), data.GetProperty("iotEndpoint").GetString());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", answer.Credentials.GetProperty("expiration").GetString());
    }

    [Fact]
    public async Task Another_route_of_the_organization_reaches_the_service_that_owns_it()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync();

        var answer = await gateway.SendAsync(
            "/organizations/o-acme/devices?page=2", world.Token("o-acme"), change: request => request.Headers.Add("X_Gateway.Subject", "mallory"));

        Assert.True(answer.Status == 200, answer.Body + "\n" + gateway.Log.Text);
        var received = Assert.Single(world.Downstream.Requests.Snapshot());
        Assert.Equal("/organizations/o-acme/devices?page=2", received.Target);
        Assert.Equal(["alice"], received.Headers["X-Gateway-Subject"]);
        Assert.Equal(["o-acme"], received.Headers["X-Gateway-Organization"]);
        Assert.DoesNotContain("Authorization", received.Headers.Keys);
        Assert.DoesNotContain("X_Gateway.Subject", received.Headers.Keys);
    }

    [Fact]
    public async Task The_second_call_is_served_without_AWS_and_by_another_replica_too()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync();
        var replica = await world.StartGatewayAsync();

        // A busy machine may take longer for a command to Redis than a vend waits for it: then another organization shows the same.
        var organizations = 0;
        await Eventually.IsTrueAsync(async () =>
        {
            var (organization, roles, endpoints) = ($"o-acme{organizations++}", world.Aws.Count("AssumeRole"), world.Aws.Count("DescribeEndpoint"));
            var first = await gateway.VendAsync(organization);
            var second = await gateway.VendAsync(organization);
            var third = await replica.VendAsync(organization);
            Assert.Equal(first.AccessKeyId, second.AccessKeyId);
            return third.AccessKeyId == first.AccessKeyId
                && world.Aws.Count("AssumeRole") == roles + 1 && world.Aws.Count("DescribeEndpoint") <= endpoints + 1;
        });
    }
}
