using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class StsFaultTests(ITestOutputHelper output)
{
    private const int Long = 1_000_000;

    public static TheoryData<string, AwsFault> Faults => new()
    {
        { "AssumeRole", AwsFault.Error("AccessDenied", 403, "User: arn:aws:iam::111122223333:user/gateway is not authorized") },
        { "AssumeRole", AwsFault.Error("MalformedPolicyDocument", 400, "Syntax errors in policy.") },
        { "AssumeRole", AwsFault.HttpStatus(500) },
        { "AssumeRole", AwsFault.Throttling() },
        { "AssumeRole", AwsFault.Garbage() },
        { "AssumeRole", AwsFault.Truncated() },
        { "AssumeRole", AwsFault.Empty() },
        { "AssumeRole", AwsFault.WithoutCredentials() },
        { "AssumeRole", Granted(sessionToken: "   ") },
        { "AssumeRole", Granted(secretAccessKey: "\n  c2VjcmV0\n") },
        { "AssumeRole", Granted(accessKeyId: " ASIA1 ") },
        { "AssumeRole", Granted(sessionToken: "t\u00E9") },
        { "AssumeRole", Granted(sessionToken: new('t', (16 * 1024) + 1)) },
        { "AssumeRole", AwsFault.Abort() },
        { "AssumeRole", AwsFault.Hang() },
        { "DescribeEndpoint", AwsFault.Error("UnauthorizedException", 401, "not for you") },
        { "DescribeEndpoint", AwsFault.HttpStatus(503) },
        { "DescribeEndpoint", AwsFault.Garbage() },
        { "DescribeEndpoint", AwsFault.Empty() },
        { "DescribeEndpoint", AwsFault.Endpoint(null) },
        { "DescribeEndpoint", AwsFault.Endpoint("") },
        { "DescribeEndpoint", AwsFault.Endpoint("not a host/name") },
        { "DescribeEndpoint", AwsFault.Hang() },
    };

    private static AwsFault Granted(
        string accessKeyId = "ASIA1", string secretAccessKey = "c2VjcmV0", string sessionToken = "dG9rZW4") => AwsFault.Response(200, $"""
        <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
          <AccessKeyId>{accessKeyId}</AccessKeyId><SecretAccessKey>{secretAccessKey}</SecretAccessKey><SessionToken>{sessionToken}</SessionToken>
          <Expiration>{DateTime.UtcNow.AddHours(1):s}Z</Expiration>
        </Credentials></AssumeRoleResult></AssumeRoleResponse>
        """);

    [Theory]
    [MemberData(nameof(Faults), DisableDiscoveryEnumeration = true)]
    public async Task A_fault_of_AWS_is_a_503_within_the_timeout_that_tells_the_caller_nothing(string action, AwsFault fault)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings
            .Set("IotCredentials:Timeout", "\"00:00:02\"")
            .Set("IotCredentials:Organizations:o-elsewhere", """{ "Region": "eu-west-1" }"""));
        // A first vend compiles what a vend needs. For DescribeEndpoint it is in another region: a known endpoint would hide the fault.
        var warm = action == "AssumeRole" ? "o-warm" : "o-elsewhere";
        var machine = await Machine.MeasureAsync(() => gateway.VendAsync(warm), output.WriteLine);
        world.Aws.Inject(fault, action);

        var begun = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => gateway.VendAsync("o-acme")));

        Assert.InRange(begun.Elapsed, TimeSpan.Zero, machine.Within(TimeSpan.FromSeconds(8)));
        Assert.All(answers, answer =>
        {
            Assert.Equal(503, answer.Status);
            Assert.Equal("""{"error":"ServiceUnavailable","message":"The service is temporarily unavailable."}""", answer.Body);
            Assert.True(answer.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        });
        await gateway.Log.WaitForAsync(LogLevel.Error, action == "AssumeRole" ? "arn:aws:iam::111122223333:role/iot-organization" : "ap-northeast-1");
        foreach (var issued in world.Aws.Calls.Snapshot().Select(call => call.Issued).OfType<AwsCredentials>())
        {
            Assert.DoesNotContain(issued.SecretAccessKey, gateway.Log.Text);
            Assert.DoesNotContain(issued.SessionToken!, gateway.Log.Text);
        }
    }

    public static TheoryData<string, string, AwsFault> LongResponses => new()
    {
        { "a token", "AssumeRole", Granted(sessionToken: new('t', Long)) },
        { "an error", "AssumeRole", AwsFault.Response(400, new('e', Long)) },
        { "a page", "AssumeRole", AwsFault.Response(502, new('e', Long)) },
        { "an endpoint", "DescribeEndpoint", AwsFault.Endpoint(new('e', Long)) },
    };

    [Theory]
    [MemberData(nameof(LongResponses), DisableDiscoveryEnumeration = true)]
    public async Task S25_a_response_of_AWS_is_not_read_to_its_end_however_long_it_is(string name, string action, AwsFault fault)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync();
        world.Aws.Inject(fault, action);

        Assert.Equal((name, 503), (name, (await gateway.VendAsync("o-acme")).Status));
        await gateway.Log.WaitForAsync(LogLevel.Error, "the response is longer than the gateway reads");
    }

    [Theory]
    [InlineData(16 * 1024, 200)]
    [InlineData((16 * 1024) + 1, 503)]
    public async Task A_session_token_has_up_to_16_KiB_and_is_shared_with_other_replicas(int length, int status)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayAsync();
        // JSON escapes this character.
        world.Aws.Inject(Granted(sessionToken: new('+', length)), "AssumeRole");

        Assert.Equal(status, (await gateway.VendAsync("o-acme")).Status);
        if (status != 200)
        {
            await gateway.Log.WaitForAsync(LogLevel.Error, "holds a session token of over 16 KiB");
            return;
        }

        var replica = await world.StartGatewayAsync();
        Assert.Equal(200, (await replica.VendAsync("o-acme")).Status);
        Assert.Equal(1, world.Aws.Count("AssumeRole"));
    }

    [Fact]
    public async Task A_failure_answers_all_who_wait_and_vending_recovers_when_STS_does()
    {
        await using var world = await World.StartAsync(new Microsoft.Extensions.Time.Testing.FakeTimeProvider(DateTimeOffset.UtcNow));
        var gateway = await world.StartGatewayAsync();
        var fault = world.Aws.Inject(AwsFault.Error("InternalFailure", 500), "AssumeRole");

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => gateway.VendAsync("o-acme")));

        Assert.All(answers, answer => Assert.Equal(503, answer.Status));
        Assert.Single(answers.Select(answer => answer.Body).Distinct());
        var sdkRetriesOfOneCall = 3;
        Assert.InRange(world.Aws.Count("AssumeRole"), 1, sdkRetriesOfOneCall);

        fault.Dispose();
        ((Microsoft.Extensions.Time.Testing.FakeTimeProvider)world.Time).Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
    }
}
