using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace EndToEnd.Tests.Worlds;

[Trait("Category", "Redis")]
public sealed class AwsWorldTests(AwsWorld world) : WorldTests(world), IClassFixture<AwsWorld>;

[Trait("Category", "Redis")]
public sealed class AzureWorldTests(AzureWorld world) : WorldTests(world), IClassFixture<AzureWorld>;

/// <summary>The contract of the edge and of vending on each cloud. Each test uses organizations of its own.</summary>
public abstract class WorldTests(CloudWorld world)
{
    private static readonly string s_credentials = Requests.CredentialsPath("o-acme");

    public static TheoryData<string, string, string?, int, string> Refusals => new()
    {
        { "GET", s_credentials, null, 401, "Unauthenticated" },
        { "GET", s_credentials, "x.y.z", 401, "Unauthenticated" },
        { "GET", "/nowhere", null, 401, "Unauthenticated" },
        { "GET", "/nowhere", "o-acme", 404, "NotFound" },
        { "POST", s_credentials, "o-acme", 405, "MethodNotAllowed" },
        { "GET", Requests.CredentialsPath("o-ac.me"), "o-acme", 422, "ValidationError" },
        { "GET", "/organizations/o-ac.me/devices", "o-acme", 422, "ValidationError" },
        { "GET", $"{s_credentials}?minimumLifetime=9999", "o-acme", 422, "ValidationError" },
        { "GET", s_credentials, "o-globex", 403, "Forbidden" },
        { "GET", "/organizations/o-acme/devices", "o-globex", 403, "Forbidden" },
        // The directory does not know it.
        { "GET", Requests.CredentialsPath("o-unknown"), "o-unknown", 403, "Forbidden" },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task A_refused_request_gets_the_contracts_status(string method, string path, string? caller, int status, string error)
    {
        var token = caller is not null && caller.StartsWith("o-", StringComparison.Ordinal) ? world.Token(caller) : caller;

        var response = await world.SendAsync(0, path, token, method);

        AssertError(response, status, error);
        if (status == 405) Assert.Equal(["GET"], response.ContentHeaders.Allow);
        if (status == 401) Assert.Equal(caller is null ? "Bearer" : "Bearer error=\"invalid_token\"", response.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_limit_counts_the_requests_of_both_replicas()
    {
        var token = world.Token("o-limited");

        Assert.Equal(200, (await world.SendAsync(0, "/organizations/o-limited/limited/a", token)).Status);
        var refused = await world.SendAsync(1, "/organizations/o-limited/limited/a", token);

        AssertError(refused, 429, "TooManyRequests");
        Assert.NotNull(refused.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("o-first", CloudWorld.OwnAccount, "ap-northeast-1")]
    [InlineData("o-second", CloudWorld.OtherAccount, "ap-northeast-1")]
    [InlineData("o-third", CloudWorld.OtherAccount, "eu-west-1")]
    public async Task Both_replicas_vend_one_session_where_the_directory_says_and_print_no_secret(string organization, string account, string region)
    {
        world.World.Downstream.Directory.Move(organization, account, region);

        var vended = await world.VendAsync(0, organization);
        var shared = await world.VendAsync(1, organization);

        Assert.True(vended.Status == 200, $"{vended.Body}\n{world.Replicas[0].Output}");
        Assert.Equal(vended.Body, shared.Body);
        var data = vended.Data;
        Assert.Equal(["awsRegion", "iotEndpoint", "credentials"], data.EnumerateObject().Select(static member => member.Name));
        Assert.Equal(
            (region, AwsEmulator.IotEndpoint(account, region)), (data.GetProperty("awsRegion").GetString(), data.GetProperty("iotEndpoint").GetString()));
        var calls = world.World.Aws.Calls.Snapshot();
        var session = Assert.Single(calls, call => call.AssumeRole?.RoleSessionName == organization);
        Assert.Equal((region, $"arn:aws:iam::{account}:role/iot-organization"), (session.Region, session.AssumeRole!.RoleArn));
        Assert.Contains($"arn:aws:iot:{region}:{account}:client/{organization}-", session.AssumeRole.Policy, StringComparison.Ordinal);
        Assert.Equal(session.Issued!.AccessKeyId, vended.AccessKeyId);
        Assert.Contains(session.AccessKeyId, world.OwnSessions);
        foreach (var secret in (string[])["secretAccessKey", "sessionToken"])
        {
            var value = vended.Credentials.GetProperty(secret).GetString()!;
            Assert.All(world.Replicas, replica => Assert.DoesNotContain(value, replica.Output, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_service_learns_who_the_caller_is_and_gets_no_token()
    {
        var response = await world.SendAsync(1, "/organizations/o-acme/devices", world.Token("o-acme"), change: static request =>
            request.Headers.Add("X-Gateway-Subject", "mallory"));

        Assert.Equal(200, response.Status);
        Assert.Equal(("alice", world.Issuer, "o-acme"), Identity(response));
        Assert.Null(Header(response, "Authorization"));
    }

    [Fact]
    public async Task An_API_key_is_a_caller_as_a_token_is()
    {
        world.World.Downstream.Directory.Move(CloudWorld.ApiKeyOrganization, CloudWorld.OwnAccount, "eu-west-1");

        var vended = await SendAsync(0, Requests.CredentialsPath(CloudWorld.ApiKeyOrganization));
        var passed = await SendAsync(1, $"/organizations/{CloudWorld.ApiKeyOrganization}/devices");
        var foreign = await SendAsync(1, "/organizations/o-acme/devices");

        Assert.True(vended.Status == 200, $"{vended.Body}\n{world.Replicas[0].Output}");
        Assert.Equal((CloudWorld.ApiKeyName, "urn:gateway:api-keys", CloudWorld.ApiKeyOrganization), Identity(passed));
        Assert.Null(Header(passed, CloudWorld.ApiKeyHeader));
        AssertError(foreign, 403, "Forbidden");

        Task<Response> SendAsync(int replica, string path) =>
            world.SendAsync(replica, path, change: request => request.Headers.Add(CloudWorld.ApiKeyHeader, world.ApiKey));
    }

    [Fact]
    public async Task An_operator_invalidates_an_organization_in_both_replicas()
    {
        world.World.Downstream.Directory.Move("o-moving", CloudWorld.OwnAccount, "ap-northeast-1");
        var before = await world.VendAsync(0, "o-moving");
        Assert.Equal(before.AccessKeyId, (await world.VendAsync(1, "o-moving")).AccessKeyId);
        world.World.Downstream.Directory.Move("o-moving", CloudWorld.OtherAccount, "eu-west-1");

        AssertError(await InvalidateAsync(null), 401, "Unauthenticated");
        AssertError(await InvalidateAsync(world.Token("o-moving")), 403, "Forbidden");
        Assert.Equal(204, (await InvalidateAsync(world.Token("o-moving", CloudWorld.Operator))).Status);

        foreach (var replica in (int[])[0, 1])
        {
            await Eventually.IsTrueAsync(async () =>
            {
                var after = await world.VendAsync(replica, "o-moving");
                return after.AccessKeyId != before.AccessKeyId && after.Data.GetProperty("awsRegion").GetString() == "eu-west-1";
            });
        }

        Task<Response> InvalidateAsync(string? token) =>
            world.World.Client.SendAsync($"{world.Replicas[0].ManagementUrl}/organizations/o-moving/credentials", token, "DELETE");
    }

    [Fact]
    public async Task Replicas_are_ready_and_measured()
    {
        Assert.Equal(200, (await world.VendAsync(0, "o-acme")).Status);
        Assert.Equal(200, (await world.SendAsync(0, "/organizations/o-acme/devices", world.Token("o-acme"))).Status);

        var ready = await GetAsync(0, "/health/ready", "application/json");
        var metrics = (await GetAsync(0, "/metrics", "text/plain")).Body;

        Assert.Equal(200, ready.Status);
        Assert.True((string?)JsonNode.Parse(ready.Body)!["status"] == "Healthy", $"{ready.Body}\n{world.Replicas[0].Output}");
        Assert.Equal("Healthy", (string?)JsonNode.Parse((await GetAsync(1, "/health/ready", "application/json")).Body)!["status"]);
        foreach (var name in (string[])["iotcredentials_vends_total", "gateway_authentications_total", "http_server_request_duration_seconds_count"])
            Assert.Contains(name, metrics, StringComparison.Ordinal);
        foreach (var name in (string[])["iotcredentials_redis_usable", "iotcredentials_directory_usable", "iotcredentials_aws_credentials_taken"])
            Assert.Matches($"(?m)^{name}(\\{{.*\\}})? 1( |$)", metrics);

        Task<Response> GetAsync(int replica, string path, string type) =>
            world.World.Client.SendAsync(world.Replicas[replica].ManagementUrl + path, change: request => request.Headers.Accept.ParseAdd(type));
    }

    [Fact]
    public async Task A_replica_that_ends_completes_its_requests_first()
    {
        var gateway = await world.StartGatewayAsync();
        var slow = world.World.Client.SendAsync($"{gateway.Url}/organizations/o-acme/slow/3000", world.Token("o-acme"));
        using var limit = new CancellationTokenSource(Eventually.Limit);
        await world.World.Downstream.Requests.WaitForAsync(
            request => request.Target.EndsWith("/slow/3000", StringComparison.Ordinal), cancellationToken: limit.Token);

        gateway.Signal("TERM");
        await Eventually.IsTrueAsync(async () => (await world.World.Client.SendAsync($"{gateway.ManagementUrl}/health/ready")).Status == 503);

        Assert.Equal(200, (await slow).Status);
        var code = await gateway.WaitForExitAsync();
        Assert.True(code == 0, $"{code}\n{gateway.Output}");
    }

    private static void AssertError(Response response, int status, string error)
    {
        Assert.True(response.Status == status, $"{response.Status} {response.Body}");
        Assert.Equal(["error", "message"], response.Json.EnumerateObject().Select(static member => member.Name));
        Assert.Equal(error, response.Error);
    }

    private static (string? Subject, string? Issuer, string? Organization) Identity(Response echo) =>
        (Header(echo, "X-Gateway-Subject"), Header(echo, "X-Gateway-Issuer"), Header(echo, "X-Gateway-Organization"));

    // The service responds with the headers that it received.
    private static string? Header(Response echo, string name)
    {
        var headers = echo.Json.GetProperty("headers").EnumerateObject().ToDictionary(
            static header => header.Name, static header => header.Value, StringComparer.OrdinalIgnoreCase);
        return headers.TryGetValue(name, out var values) ? Assert.Single(values.EnumerateArray()).GetString() : null;
    }
}
