using System.Net;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Sandbox.Tests;

public sealed class AwsEmulatorTests : IAsyncLifetime
{
    private const string Role = "arn:aws:iam::444455556666:role/path/iot";

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly List<IDisposable> _disposables = [];
    private AwsEmulator _aws = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _aws = await AwsEmulator.StartAsync(time: _time);

    public async ValueTask DisposeAsync()
    {
        foreach (var disposable in _disposables) disposable.Dispose();
        await _aws.DisposeAsync();
    }

    [Fact]
    public async Task AssumeRole_grants_credentials_of_AWSs_form()
    {
        var answer = await Client().AssumeRoleAsync(Request(), Cancelled);

        Assert.Matches("^ASIA[A-Z2-7]{16}$", answer.Credentials.AccessKeyId);
        Assert.Equal(40, answer.Credentials.SecretAccessKey.Length);
        Assert.True(answer.Credentials.SessionToken.Length > 400);
        var expiration = answer.Credentials.Expiration!.Value.ToUniversalTime();
        Assert.Equal(_time.GetUtcNow().AddHours(1).ToUnixTimeSeconds(), new DateTimeOffset(expiration).ToUnixTimeSeconds());
        Assert.Equal(0, expiration.Millisecond);
        Assert.Equal("arn:aws:sts::444455556666:assumed-role/iot/session", answer.AssumedRoleUser.Arn);
        Assert.Matches("^AROA[A-Z2-7]{17}:session$", answer.AssumedRoleUser.AssumedRoleId);
    }

    [Fact]
    public async Task AssumeRole_is_recorded_whole()
    {
        var request = Request();
        request.SourceIdentity = "alice";
        request.ExternalId = "external";
        request.DurationSeconds = 900;
        request.Policy = Policy(200);
        request.Tags = [new Tag { Key = "organizationId", Value = "o-a" }, new Tag { Key = "empty", Value = "" }];
        request.TransitiveTagKeys = ["organizationId"];

        var answer = await Client(region: "eu-west-1").AssumeRoleAsync(request, Cancelled);

        var call = Assert.Single(_aws.Calls.Snapshot());
        var input = call.AssumeRole!;
        Assert.Equal(("AssumeRole", "eu-west-1", _aws.BaseCredentials.AccessKeyId), (call.Action, call.Region, call.AccessKeyId));
        Assert.Equal((Role, "session", "alice", "external"), (input.RoleArn, input.RoleSessionName, input.SourceIdentity, input.ExternalId));
        Assert.Equal(900, input.DurationSeconds);
        Assert.Equal(request.Policy, input.Policy);
        Assert.Equal([KeyValuePair.Create("organizationId", "o-a"), KeyValuePair.Create("empty", "")], input.Tags);
        Assert.Equal(["organizationId"], input.TransitiveTagKeys);
        Assert.Equal(answer.Credentials.AccessKeyId, call.Issued!.AccessKeyId);
        Assert.Equal((200, null, 1), (call.Status, call.ErrorCode, _aws.Count("AssumeRole")));
        Assert.Equal("alice", answer.SourceIdentity);
#pragma warning disable CS0618 // What replaces it in the SDK is not documented yet.
        Assert.InRange(answer.PackedPolicySize!.Value, 1, 100);
#pragma warning restore CS0618
    }

    [Fact]
    public async Task GetCallerIdentity_says_who_signed()
    {
        var session = _aws.IssueRoleSession(Role, "session", TimeSpan.FromHours(1));

        var forBase = await Client().GetCallerIdentityAsync(new GetCallerIdentityRequest(), Cancelled);
        var forSession = await Client(session).GetCallerIdentityAsync(new GetCallerIdentityRequest(), Cancelled);

        Assert.Equal(("111122223333", "arn:aws:iam::111122223333:user/gateway"), (forBase.Account, forBase.Arn));
        Assert.Equal(("444455556666", "arn:aws:sts::444455556666:assumed-role/iot/session"), (forSession.Account, forSession.Arn));
    }

    [Fact]
    public async Task Signature_by_a_wrong_secret_is_refused() =>
        await RefusedAsync("SignatureDoesNotMatch", Client(_aws.BaseCredentials with { SecretAccessKey = new string('x', 40) }), Request());

    [Fact]
    public async Task Signature_by_an_unknown_key_is_refused() =>
        await RefusedAsync("InvalidClientTokenId", Client(_aws.BaseCredentials with { AccessKeyId = "AKIAIOSFODNN7UNKNOWN" }), Request());

    [Fact]
    public async Task Signature_with_another_sessions_token_is_refused()
    {
        var session = _aws.IssueRoleSession(Role, "session", TimeSpan.FromHours(1));
        var other = _aws.IssueRoleSession(Role, "session", TimeSpan.FromHours(1));

        await RefusedAsync("InvalidClientTokenId", Client(session with { SessionToken = other.SessionToken }), Request());
        await RefusedAsync("InvalidClientTokenId", Client(_aws.BaseCredentials with { SessionToken = other.SessionToken }), Request());
    }

    [Fact]
    public async Task Signature_by_an_expired_session_is_refused()
    {
        var session = _aws.IssueRoleSession(Role, "session", TimeSpan.FromSeconds(60));
        await Client(session).GetCallerIdentityAsync(new GetCallerIdentityRequest(), Cancelled);

        _time.Advance(TimeSpan.FromSeconds(60));

        await RefusedAsync("ExpiredToken", Client(session), Request());
    }

    [Fact]
    public async Task Signature_over_another_body_is_refused()
    {
        using var client = Tampering(async request =>
        {
            var body = await request.Content!.ReadAsStringAsync(Cancelled);
            var contentType = request.Content.Headers.ContentType;
            request.Content = new StringContent(body.Replace("RoleSessionName=session", "RoleSessionName=another", StringComparison.Ordinal));
            request.Content.Headers.ContentType = contentType;
        });

        await RefusedAsync("SignatureDoesNotMatch", client, Request());
    }

    [Fact]
    public async Task Signature_over_another_header_is_refused()
    {
        using var client = Tampering(request =>
        {
            request.Headers.Host = "sts.amazonaws.com";
            return Task.CompletedTask;
        });

        await RefusedAsync("SignatureDoesNotMatch", client, Request());
    }

    [Fact]
    public async Task A_header_of_AWS_that_is_not_signed_is_refused()
    {
        using var client = Tampering(request =>
        {
            request.Headers.Add("X-Amz-Extra", "1");
            return Task.CompletedTask;
        });

        await RefusedAsync("SignatureDoesNotMatch", client, Request());
    }

    [Theory]
    [InlineData(-298, null)]
    [InlineData(298, null)]
    [InlineData(-302, "SignatureDoesNotMatch")]
    [InlineData(302, "SignatureDoesNotMatch")]
    public async Task Signature_date_may_be_5_minutes_off(int seconds, string? error)
    {
        var (_, body) = await SendAsync(Signed("sts", HttpMethod.Post, "/", Identity, at: _time.GetUtcNow().AddSeconds(seconds)));

        Assert.Equal(error, Code(body));
    }

    [Fact]
    public async Task Signature_date_may_be_any_when_it_is_not_checked()
    {
        _aws.CheckSignatureDate = false;

        var (status, _) = await SendAsync(Signed("sts", HttpMethod.Post, "/", Identity, at: _time.GetUtcNow().AddDays(-2)));

        Assert.Equal(HttpStatusCode.OK, status);
    }

    [Theory]
    [InlineData("iot", "ap-northeast-1")]
    [InlineData("sts", "nowhere")]
    public async Task Signature_scope_must_be_this_service_and_a_region(string service, string region)
    {
        var (status, body) = await SendAsync(Signed(service, HttpMethod.Post, "/", Identity, region: region));

        Assert.Equal((HttpStatusCode.Forbidden, "SignatureDoesNotMatch"), (status, Code(body)));
    }

    [Fact]
    public async Task Signature_may_leave_the_payload_out()
    {
        var (status, _) = await SendAsync(Signed("sts", HttpMethod.Post, "/", Identity, payloadHash: "UNSIGNED-PAYLOAD"));
        var (_, wrong) = await SendAsync(Signed("sts", HttpMethod.Post, "/", Identity, payloadHash: new string('0', 64)));

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("SignatureDoesNotMatch", Code(wrong));
    }

    [Fact]
    public async Task No_signature_is_refused()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, _aws.Url) { Content = new StringContent(Identity) };

        var (status, body) = await SendAsync(request);

        Assert.Equal((HttpStatusCode.Forbidden, "MissingAuthenticationToken"), (status, Code(body)));
        Assert.Equal("MissingAuthenticationToken", Assert.Single(_aws.Calls.Snapshot()).ErrorCode);
    }

    [Fact]
    public async Task An_unknown_action_is_refused()
    {
        var (status, body) = await SendAsync(Signed("sts", HttpMethod.Post, "/", "Action=GetFederationToken&Version=2011-06-15"));

        Assert.Equal((HttpStatusCode.BadRequest, "InvalidAction"), (status, Code(body)));
    }

    [Fact]
    public async Task A_role_may_demand_an_external_id_and_a_shorter_session()
    {
        _aws.AddRole(new AwsRole(Role, "secret", TimeSpan.FromHours(1)));
        var request = Request();
        await RefusedAsync("AccessDenied", Client(), request);
        request.ExternalId = "wrong";
        await RefusedAsync("AccessDenied", Client(), request);
        request.ExternalId = "secret";
        request.DurationSeconds = 3601;
        await RefusedAsync("ValidationError", Client(), request);
        request.DurationSeconds = 3600;

        Assert.NotNull((await Client().AssumeRoleAsync(request, Cancelled)).Credentials);
    }

    [Fact]
    public async Task Only_known_roles_may_be_assumed_when_so_set()
    {
        _aws.OnlyKnownRoles = true;
        await RefusedAsync("AccessDenied", Client(), Request());
        _aws.AddRole(new AwsRole(Role));

        Assert.NotNull((await Client().AssumeRoleAsync(Request(), Cancelled)).Credentials);
    }

    [Theory]
    [InlineData("111122223333", "aws", "ap-northeast-1", "amazonaws.com")]
    [InlineData("999900001111", "aws-cn", "cn-north-1", "amazonaws.com.cn")]
    [InlineData("999900001111", "aws-us-gov", "us-gov-west-1", "amazonaws.com")]
    public async Task DescribeEndpoint_answers_the_address_of_account_and_region(string account, string partition, string region, string domain)
    {
        var credentials = _aws.AddBaseCredentials("AKIAIOSFODNN7ANOTHER", new string('s', 40), account, partition);

        var (status, body) = await SendAsync(Signed("iot", HttpMethod.Get, "/endpoint?endpointType=iot%3AData-ATS", "", credentials, region));

        Assert.Equal(HttpStatusCode.OK, status);
        var address = (string?)JsonNode.Parse(body)!["endpointAddress"];
        Assert.Equal(AwsEmulator.IotEndpoint(account, region), address);
        Assert.Matches($"^a[a-z2-7]{{13}}-ats\\.iot\\.{region}\\.{domain}$", address);
        var call = Assert.Single(_aws.Calls.Snapshot());
        Assert.Equal(("DescribeEndpoint", region, "iot:Data-ATS"), (call.Action, call.Region, call.EndpointType));
    }

    [Fact]
    public async Task DescribeEndpoint_by_a_session_is_of_the_roles_account()
    {
        var session = _aws.IssueRoleSession(Role, "session", TimeSpan.FromHours(1));

        var (_, body) = await SendAsync(Signed("iot", HttpMethod.Get, "/endpoint?endpointType=iot:Data-ATS", "", session));

        Assert.Equal(AwsEmulator.IotEndpoint("444455556666", "ap-northeast-1"), (string?)JsonNode.Parse(body)!["endpointAddress"]);
        Assert.NotEqual(AwsEmulator.IotEndpoint("444455556666", "ap-northeast-1"), AwsEmulator.IotEndpoint("111122223333", "ap-northeast-1"));
    }

    [Theory]
    [InlineData("sts", "iot:Data-ATS", HttpStatusCode.Forbidden, "InvalidSignatureException")]
    [InlineData("iot", "iot:Nothing", HttpStatusCode.BadRequest, "InvalidRequestException")]
    public async Task DescribeEndpoint_says_errors_as_IoT_does(string service, string type, HttpStatusCode expected, string code)
    {
        using var client = new HttpClient();
        using var request = Signed(service, HttpMethod.Get, $"/endpoint?endpointType={type}", "");
        using var answer = await client.SendAsync(request, Cancelled);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Equal(code, answer.Headers.GetValues("x-amzn-ErrorType").Single());
        Assert.NotNull(JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancelled))!["message"]);
    }

    [Fact]
    public async Task The_environment_variables_are_all_that_an_SDK_needs()
    {
        var variables = _aws.EnvironmentVariables;
        using var client = new AmazonSecurityTokenServiceClient(
            new BasicAWSCredentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]),
            new AmazonSecurityTokenServiceConfig { ServiceURL = variables["AWS_ENDPOINT_URL_STS"], AuthenticationRegion = variables["AWS_REGION"] });

        await client.GetCallerIdentityAsync(new GetCallerIdentityRequest(), Cancelled);

        Assert.Equal("ap-northeast-1", Assert.Single(_aws.Calls.Snapshot()).Region);
        Assert.Equal(_aws.Url, variables["AWS_ENDPOINT_URL_IOT"]);
    }

    private const string Identity = "Action=GetCallerIdentity&Version=2011-06-15";

    private static AssumeRoleRequest Request() => new() { RoleArn = Role, RoleSessionName = "session" };

    private static string Policy(int length)
    {
        const string Start = """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:*:*:client/""";
        const string End = "\"}]}";
        return Start + new string('c', length - Start.Length - End.Length) + End;
    }

    private static string? Code(string body) =>
        XElement.Parse(body).Descendants().FirstOrDefault(element => element.Name.LocalName == "Code")?.Value;

    private AmazonSecurityTokenServiceClient Client(
        AwsCredentials? credentials = null, string region = "ap-northeast-1", HttpClientFactory? http = null)
    {
        credentials ??= _aws.BaseCredentials;
        var client = new AmazonSecurityTokenServiceClient(
            credentials.SessionToken is { } token
                ? new SessionAWSCredentials(credentials.AccessKeyId, credentials.SecretAccessKey, token)
                : new BasicAWSCredentials(credentials.AccessKeyId, credentials.SecretAccessKey),
            new AmazonSecurityTokenServiceConfig { ServiceURL = _aws.Url, AuthenticationRegion = region, MaxErrorRetry = 0, HttpClientFactory = http });
        _disposables.Add(client);
        return client;
    }

    private AmazonSecurityTokenServiceClient Tampering(Func<HttpRequestMessage, Task> tamper) => Client(http: new TamperingFactory(tamper));

    private static async Task RefusedAsync(string code, AmazonSecurityTokenServiceClient client, AssumeRoleRequest request)
    {
        var error = await Assert.ThrowsAnyAsync<AmazonSecurityTokenServiceException>(() => client.AssumeRoleAsync(request, Cancelled));
        Assert.Equal(code, error.ErrorCode);
    }

    private static async Task<(HttpStatusCode Status, string Body)> SendAsync(HttpRequestMessage request)
    {
        using var client = new HttpClient();
        using var answer = await client.SendAsync(request, Cancelled);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancelled));
    }

    private HttpRequestMessage Signed(
        string service,
        HttpMethod method,
        string target,
        string body,
        AwsCredentials? credentials = null,
        string region = "ap-northeast-1",
        DateTimeOffset? at = null,
        string? payloadHash = null)
    {
        var request = SignedRequest.Create(_aws, service, method, target, body, credentials, region, at ?? _time.GetUtcNow(), payloadHash);
        _disposables.Add(request);
        return request;
    }

    private sealed class TamperingFactory(Func<HttpRequestMessage, Task> tamper) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) => new(new Handler(tamper));

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => false;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => true;

        private sealed class Handler(Func<HttpRequestMessage, Task> tamper) : DelegatingHandler(new SocketsHttpHandler())
        {
            protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
            {
                await tamper(request);
                return await base.SendAsync(request, cancellationToken);
            }
        }
    }
}
