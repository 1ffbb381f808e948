using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Xunit;

namespace Sandbox.Tests;

public sealed class AwsFaultTests : IAsyncLifetime
{
    private AwsEmulator _aws = null!;
    private AmazonSecurityTokenServiceClient _client = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsEmulator.StartAsync();
        _client = new AmazonSecurityTokenServiceClient(
            new BasicAWSCredentials(_aws.BaseCredentials.AccessKeyId, _aws.BaseCredentials.SecretAccessKey),
            new AmazonSecurityTokenServiceConfig { ServiceURL = _aws.Url, AuthenticationRegion = "eu-west-1", MaxErrorRetry = 0 });
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _aws.DisposeAsync();
    }

    [Fact]
    public async Task An_error_is_answered_as_AWS_says_it()
    {
        using var fault = _aws.Inject(AwsFault.Error("RegionDisabledException", 403, "STS is not activated in this region"));

        var error = await FailsAsync();

        Assert.Equal(("RegionDisabledException", HttpStatusCode.Forbidden), (error.ErrorCode, error.StatusCode));
        var call = Assert.Single(_aws.Calls.Snapshot());
        Assert.Equal(("RegionDisabledException", 403, null), (call.ErrorCode, call.Status, call.Issued));
    }

    [Fact]
    public async Task Sessions_can_be_shorter_than_STS_grants()
    {
        _aws.LongestSession = TimeSpan.FromSeconds(90);

        await AssumeAsync();

        var call = Assert.Single(_aws.Calls.Snapshot());
        Assert.InRange(call.Issued!.Expiration!.Value - call.At, TimeSpan.FromSeconds(80), TimeSpan.FromMinutes(10));
    }

    [Fact]
    public async Task Throttling_is_what_an_SDK_retries()
    {
        _aws.Inject(AwsFault.Throttling(), times: 1);

        var error = await FailsAsync();
        var answer = await AssumeAsync();

        Assert.Equal("Throttling", error.ErrorCode);
        Assert.NotNull(answer.Credentials);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    public async Task A_status_comes_without_an_AWS_error(int status)
    {
        _aws.Inject(AwsFault.HttpStatus(status));

        Assert.Equal(status, (int)(await FailsAsync()).StatusCode);
    }

    [Fact]
    public async Task Garbage_and_a_truncated_answer_are_200_and_no_XML()
    {
        foreach (var fault in new[] { AwsFault.Garbage(), AwsFault.Truncated() })
        {
            using var injected = _aws.Inject(fault);
            await Assert.ThrowsAnyAsync<Exception>(AssumeAsync);
            Assert.Equal(200, _aws.Calls.Snapshot()[^1].Status);
        }
    }

    [Fact]
    public async Task An_empty_answer_and_one_without_credentials_hold_none()
    {
        using (_aws.Inject(AwsFault.WithoutCredentials()))
        {
            var answer = await AssumeAsync();
            Assert.Null(answer.Credentials);
            Assert.NotNull(answer.AssumedRoleUser);
        }

        using (_aws.Inject(AwsFault.Empty())) await Assert.ThrowsAnyAsync<Exception>(AssumeAsync);
    }

    [Fact]
    public async Task An_aborted_connection_is_no_answer()
    {
        _aws.Inject(AwsFault.Abort());

        await Assert.ThrowsAnyAsync<Exception>(AssumeAsync);

        // The SDK sends again, whatever its retry settings say.
        Assert.NotEmpty(_aws.Calls.Snapshot());
        Assert.All(_aws.Calls.Snapshot(), call => Assert.Null(call.Status));
    }

    [Fact]
    public async Task A_hang_lasts_until_its_removal()
    {
        using var fault = _aws.Inject(AwsFault.Hang());
        var answer = AssumeAsync();
        await _aws.Calls.WaitForAsync(call => call.Action == "AssumeRole", cancellationToken: Cancelled);
        Assert.False(answer.IsCompleted);

        _aws.ClearFaults();

        Assert.NotNull((await answer).Credentials);
    }

    [Fact]
    public async Task A_hang_does_not_hold_up_the_stop()
    {
        using var fault = _aws.Inject(AwsFault.Hang());
        var answer = AssumeAsync();
        await _aws.Calls.WaitForAsync(_ => true, cancellationToken: Cancelled);

        await _aws.DisposeAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => answer);
    }

    [Fact]
    public async Task A_delay_goes_together_with_another_fault()
    {
        _aws.Inject(AwsFault.Delay(TimeSpan.FromMilliseconds(50)));
        _aws.Inject(AwsFault.Throttling());
        var watch = Stopwatch.StartNew();

        Assert.Equal("Throttling", (await FailsAsync()).ErrorCode);
        Assert.True(watch.ElapsedMilliseconds >= 49);
    }

    [Fact]
    public async Task A_shorter_grant_is_what_the_answer_says()
    {
        _aws.Inject(AwsFault.GrantOnly(TimeSpan.FromMinutes(5)));

        var answer = await AssumeAsync();

        Assert.Equal(_aws.Calls.Snapshot()[0].Issued!.Expiration!.Value.UtcDateTime, answer.Credentials.Expiration!.Value.ToUniversalTime());
        Assert.InRange(answer.Credentials.Expiration.Value.ToUniversalTime() - DateTime.UtcNow, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task A_fault_strikes_only_its_action_and_the_calls_it_is_meant_for()
    {
        _aws.Inject(AwsFault.Throttling(), "GetCallerIdentity");
        _aws.Inject(AwsFault.Error("AccessDenied", 403), when: call => call.AssumeRole!.Tags.Any(tag => tag.Value == "o-b"));

        await AssumeAsync("o-a");

        Assert.Equal("AccessDenied", (await FailsAsync("o-b")).ErrorCode);
    }

    [Theory]
    [InlineData("not a host")]
    [InlineData("")]
    [InlineData(null)]
    public async Task The_IoT_endpoint_may_be_anything(string? address)
    {
        _aws.Inject(AwsFault.Endpoint(address));

        Assert.Equal(address, (string?)JsonNode.Parse(await DescribeEndpointAsync())!["endpointAddress"]);
    }

    [Fact]
    public async Task A_fault_of_IoT_is_said_as_IoT_does()
    {
        _aws.Inject(AwsFault.Error("ThrottlingException", 429, "Rate exceeded"), "DescribeEndpoint");

        Assert.Equal("""{"message":"Rate exceeded"}""", await DescribeEndpointAsync());
    }

    private async Task<string> DescribeEndpointAsync()
    {
        using var client = new HttpClient();
        using var request = SignedRequest.Create(_aws, "iot", HttpMethod.Get, "/endpoint?endpointType=iot:Data-ATS", "");
        using var answer = await client.SendAsync(request, Cancelled);
        return await answer.Content.ReadAsStringAsync(Cancelled);
    }

    private Task<AssumeRoleResponse> AssumeAsync() => AssumeAsync("o-a");

    private Task<AssumeRoleResponse> AssumeAsync(string organization) => _client.AssumeRoleAsync(
        new AssumeRoleRequest
        {
            RoleArn = "arn:aws:iam::444455556666:role/iot",
            RoleSessionName = "session",
            Tags = [new Tag { Key = "organizationId", Value = organization }],
        },
        Cancelled);

    private Task<AmazonSecurityTokenServiceException> FailsAsync(string organization = "o-a") =>
        Assert.ThrowsAnyAsync<AmazonSecurityTokenServiceException>(() => AssumeAsync(organization));
}
