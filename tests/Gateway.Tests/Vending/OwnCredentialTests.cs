using System.Net;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>What AWS says of the gateway's own credentials is one condition of the gateway: told once, looked at again within seconds, over at once.</summary>
public sealed class OwnCredentialTests
{
    private const string Told = "The gateway has no credentials that AWS accepts";
    private const string Over = "AWS accepts the gateway's credentials again";

    [Theory]
    [InlineData(
        "D13 an expired session", "ExpiredToken", 403,
        "the gateway's session at AWS has expired: renew AWS_SESSION_TOKEN and its keys where they come from (403 ExpiredToken)")]
    [InlineData("D13 as the JSON services say it", "ExpiredTokenException", 400, "the gateway's session at AWS has expired")]
    [InlineData("D13 a key that was deleted", "InvalidClientTokenId", 403, "AWS does not know the gateway's access key: it was deleted or deactivated")]
    [InlineData("D13 as the JSON services say it of a key", "UnrecognizedClientException", 403, "AWS does not know the gateway's access key")]
    [InlineData("D13 as S3 says it of a key", "InvalidAccessKeyId", 403, "AWS does not know the gateway's access key")]
    [InlineData("D13 another secret", "SignatureDoesNotMatch", 403, "the gateway's secret key does not belong to its access key id")]
    [InlineData(
        "D13 as the JSON services say it of a secret", "InvalidSignatureException", 403, "the gateway's secret key does not belong to its access key id")]
    [InlineData("D13 a clock that is off", "RequestExpired", 400, "the clock of this machine is wrong: set it by NTP (400 RequestExpired)")]
    [InlineData("D13 a clock that is ahead", "RequestInTheFuture", 400, "the clock of this machine is wrong")]
    [InlineData("D13 no signature arrives", "MissingAuthenticationToken", 403, "something on the way to AWS removes the signature")]
    public async Task D13_credentials_that_AWS_does_not_take_are_one_condition_of_the_gateway(string name, string code, int status, string told)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        var warm = await gateway.VendAsync("o-warm");
        var fault = world.Aws.Inject(AwsFault.Error(code, status));
        var before = world.Aws.Calls.Snapshot().Count;

        for (var i = 0; i < 5; i++)
        {
            var answer = await gateway.VendAsync($"o-cold{i}");
            Assert.True(answer.Status == 503, $"{name}: {answer.Body}");
            Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(4));
        }

        // Nobody after the first asks, and what is cached is still used.
        Assert.InRange(world.Aws.Calls.Snapshot().Count - before, 1, 3);
        Assert.Equal(warm.AccessKeyId, (await gateway.VendAsync("o-warm")).AccessKeyId);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, ""));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, $"{Told}: {told}"));
        Assert.Equal((200, "Degraded"), await ReadinessAsync(world, gateway, told));
        await SaysTakenAsync(world, gateway, 0);

        fault.Dispose();
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(200, (await gateway.VendAsync("o-cold0")).Status);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, Over));
        Assert.Equal((200, "Healthy"), await ReadinessAsync(world, gateway, ""));
        await SaysTakenAsync(world, gateway, 1);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, ""));
    }

    [Theory]
    [InlineData("AssumeRole")]
    [InlineData("DescribeEndpoint")]
    public async Task D13_what_is_refused_for_one_call_alone_is_told_once_for_as_long_as_it_lasts(string action)
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        var fault = world.Aws.Inject(AwsFault.Error("ExpiredToken", 403), action);

        for (var i = 0; i < 6; i++)
        {
            Assert.Equal(503, (await gateway.VendAsync($"o-{i}")).Status);
            time.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.Equal((1, 0), (gateway.Log.Count(LogLevel.Error, Told), gateway.Log.Count(LogLevel.Information, Over)));
        // One try each time.
        Assert.InRange(world.Aws.Calls.Count(call => call.Action == action), 5, 7);

        fault.Dispose();
        Assert.Equal(200, (await gateway.VendAsync("o-0")).Status);
        Assert.Equal((1, 1), (gateway.Log.Count(LogLevel.Error, Told), gateway.Log.Count(LogLevel.Information, Over)));
    }

    [Fact]
    public async Task D13_a_condition_that_no_caller_tries_out_ends_as_well()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        using (world.Aws.Inject(AwsFault.Error("ExpiredToken", 403))) Assert.Equal(503, (await gateway.VendAsync("o-1")).Status);

        await Eventually.IsTrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(2));
            return gateway.Log.Count(LogLevel.Information, Over) > 0;
        });
        Assert.Equal((200, "Healthy"), await ReadinessAsync(world, gateway, ""));
    }

    [Fact]
    public async Task D13_a_region_that_does_not_know_the_gateway_leaves_the_others_alone()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("IotCredentials:Organizations", """{ "o-far": { "Region": "eu-south-1" }, "o-far2": { "Region": "eu-south-1" } }"""));
        using var fault = world.Aws.Inject(AwsFault.Error("InvalidClientTokenId", 403), when: call => call.Region == "eu-south-1");

        Assert.Equal(503, (await gateway.VendAsync("o-far")).Status);
        Assert.Equal(503, (await gateway.VendAsync("o-far2")).Status);
        Assert.Equal(200, (await gateway.VendAsync("o-1")).Status);
        Assert.Equal(200, (await gateway.VendAsync("o-2")).Status);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, "or the region is not enabled for its account"));
    }

    [Fact]
    public async Task D13_a_region_that_does_not_know_the_gateway_makes_it_read_its_credentials_once_a_minute_at_most()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var read = 0;
        var gateway = await world.StartGatewayAsync(
            settings => settings.WithoutRedis().Set("IotCredentials:Organizations", """{ "o-far": { "Region": "eu-south-1" } }"""),
            services => services.PostConfigure<AwsClientOptions>(aws => aws.CredentialsRejected = () => Interlocked.Increment(ref read)));
        using var fault = world.Aws.Inject(AwsFault.Error("InvalidClientTokenId", 403), when: call => call.Region == "eu-south-1");

        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(200, (await gateway.VendAsync($"o-near{i}")).Status);
            Assert.Equal(503, (await gateway.VendAsync("o-far")).Status);
            time.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.Equal(1, read);
        // Without callers, the gateway tries the region by itself.
        var tried = world.Aws.Count("GetCallerIdentity");
        await Eventually.IsTrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(2));
            return world.Aws.Count("GetCallerIdentity") >= tried + 10;
        });
        Assert.InRange(read, 1, 1 + (int)Math.Ceiling((time.GetUtcNow() - time.Start).TotalMinutes));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, Told));
    }

    [Theory]
    [InlineData("D13 the agent fails")]
    [InlineData("D13 the token's file is missing")]
    [InlineData("D13 AWS refuses the role of the source")]
    [InlineData("D13 the source works")]
    public async Task A_region_that_does_not_know_the_gateway_stops_no_other_whatever_the_source_does(string kind)
    {
        Exception? failure = kind["D13 ".Length..] switch
        {
            "the agent fails" => new AmazonClientException("500"),
            "the token's file is missing" => new FileNotFoundException(),
            "AWS refuses the role of the source" => new AmazonServiceException("no", ErrorType.Sender, "AccessDenied", "id", HttpStatusCode.Forbidden),
            _ => null,
        };
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var source = new RenewingSource(world.Aws);
        var gateway = await world.StartGatewayAsync(
            settings => settings.WithoutRedis().Set("IotCredentials:Organizations", """{ "o-far": { "Region": "eu-south-1" } }"""),
            services => services.PostConfigure<AwsClientOptions>(aws => aws.Credentials = source));
        var fault = world.Aws.Inject(AwsFault.Error("InvalidClientTokenId", 403), when: call => call.Region == "eu-south-1");
        Assert.Equal(200, (await gateway.VendAsync("o-near")).Status);
        source.Failure = failure;

        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(503, (await gateway.VendAsync("o-far")).Status);
            Assert.True((await gateway.VendAsync($"o-near{i}")).Status == 200, gateway.Log.Text);
            Assert.Equal((200, "Healthy"), await ReadinessAsync(world, gateway, ""));
            await SaysTakenAsync(world, gateway, 1);
            time.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, Told));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, "Nothing new is vended in eu-south-1 until it has"));
        Assert.Equal(0, gateway.Log.Count(LogLevel.Information, Over));
        // Credentials that no region accepts are a condition of the gateway, whatever was known of one region.
        fault.Dispose();
        using var everywhere = world.Aws.Inject(AwsFault.Error("ExpiredToken", 403));
        Assert.Equal(503, (await gateway.VendAsync("o-nearer")).Status);
        Assert.Equal((200, "Degraded"), await ReadinessAsync(world, gateway, "the gateway's session at AWS has expired"));
        await SaysTakenAsync(world, gateway, 0);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Error, "Nothing new is vended in ap-northeast-1 until it has"));
    }

    [Fact]
    public async Task D13_a_further_call_that_such_a_region_refuses_is_of_the_region_too()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis().Set(
            "IotCredentials:Organizations", """{ "o-far": { "Region": "eu-south-1" }, "o-farther": { "Region": "eu-south-1" } }"""));
        using var endpoint = world.Aws.Inject(AwsFault.Error("InvalidClientTokenId", 403), when: call => IsOfRegion(call, "DescribeEndpoint"));
        Assert.Equal(503, (await gateway.VendAsync("o-far")).Status);
        Assert.Equal(200, (await gateway.VendAsync("o-near")).Status);
        Assert.Equal((200, "Healthy"), await ReadinessAsync(world, gateway, ""));

        using var role = world.Aws.Inject(AwsFault.Error("InvalidClientTokenId", 403), when: call => IsOfRegion(call, "AssumeRole"));
        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(503, (await gateway.VendAsync("o-farther")).Status);

        await gateway.Log.WaitForAsync(LogLevel.Error, Told);
        await world.Aws.Calls.WaitForAsync(call => IsOfRegion(call, "AssumeRole") && call.ErrorCode == "InvalidClientTokenId");
        Assert.Equal((200, "Healthy"), await ReadinessAsync(world, gateway, ""));

        static bool IsOfRegion(AwsCall call, string action) => call.Region == "eu-south-1" && call.Action == action;
    }

    [Theory]
    [InlineData("D13 the session in use is revoked", 1, 200, 2)]
    [InlineData("D13 so is the one that the source has just renewed", 2, 200, 3)]
    [InlineData("D13 so is every other", 9, 503, 3)]
    public async Task Sessions_that_are_revoked_at_once_fail_no_call_while_the_source_has_another(string kind, int revoked, int status, int calls)
    {
        await using var world = await World.StartAsync();
        var source = new RenewingSource(world.Aws);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis(), services => services.PostConfigure<AwsClientOptions>(aws =>
        {
            aws.Credentials = source;
            aws.CredentialsRejected = source.Renew;
        }));
        using var hang = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", times: 1);
        using var fault = world.Aws.Inject(
            AwsFault.Error("ExpiredToken", 403), "AssumeRole",
            call => call.AssumeRole!.RoleSessionName == "o-revoked" && source.NumberOf(call.AccessKeyId) < revoked);
        var vending = gateway.VendAsync("o-revoked");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-revoked");
        source.Renew();
        Assert.Equal(200, (await gateway.VendAsync("o-other")).Status);

        hang.Dispose();

        Assert.True((await vending).Status == status, $"{kind}: {gateway.Log.Text}");
        Assert.Equal(calls, world.Aws.Calls.Count(call => call.AssumeRole?.RoleSessionName == "o-revoked"));
    }

    [Fact]
    public async Task D13_what_is_refused_for_a_roles_sake_is_no_condition_of_the_gateway()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis());
        using var fault = world.Aws.Inject(AwsFault.Error("AccessDenied", 403), "AssumeRole", call => call.AssumeRole!.RoleSessionName == "o-denied");

        Assert.Equal(503, (await gateway.VendAsync("o-denied")).Status);
        Assert.Equal(200, (await gateway.VendAsync("o-good")).Status);
        Assert.Equal(0, gateway.Log.Count(LogLevel.Error, Told));
    }

    private static async Task<(int, string?)> ReadinessAsync(World world, RunningGateway gateway, string description)
    {
        var ready = await world.Client.SendAsync(
            gateway.ManagementUrl + "/health/ready", change: request => request.Headers.TryAddWithoutValidation("Accept", "application/json"));
        var aws = JsonNode.Parse(ready.Body)!["checks"]!["aws"]!;
        Assert.StartsWith(description, (string?)aws["description"] ?? "", StringComparison.Ordinal);
        return (ready.Status, (string?)aws["status"]);
    }

    private static Task SaysTakenAsync(World world, RunningGateway gateway, int value) => Eventually.IsTrueAsync(async () =>
        (await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body.Contains(
            $"iotcredentials_aws_credentials_taken{{otel_scope_name=\"IotCredentials\"}} {value}", StringComparison.Ordinal));

    /// <summary>Keys that are the same until they are renewed, as the SDK's sources have them.</summary>
    private sealed class RenewingSource(AwsEmulator aws) : AWSCredentials
    {
        private readonly List<AwsCredentials> _issued = [Issue(aws, 0)];

        public int NumberOf(string accessKeyId) => _issued.FindIndex(credentials => credentials.AccessKeyId == accessKeyId);

        public Exception? Failure { get; set; }

        public void Renew() => _issued.Add(Issue(aws, _issued.Count));

        public override ImmutableCredentials GetCredentials() =>
            Failure is { } failure ? throw failure : new(_issued[^1].AccessKeyId, _issued[^1].SecretAccessKey, token: null);

        private static AwsCredentials Issue(AwsEmulator aws, int number) =>
            aws.AddBaseCredentials($"AKIAIOSFODNN7RENEWED{number}", $"secret-of-renewed-key-{number}", "111122223333");
    }
}
