using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Xunit;

namespace Sandbox.Tests;

/// <summary>AssumeRoleWithWebIdentity: what STS checks of a token, and what it says of one that it does not take.</summary>
public sealed class WebIdentityTests : IAsyncLifetime
{
    private const string Role = "arn:aws:iam::111122223333:role/gateway";
    private const string Subject = "system:serviceaccount:iot:gateway";

    private AwsEmulator _aws = null!;
    private OpenIdProvider _issuer = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsEmulator.StartAsync();
        _issuer = await OpenIdProvider.StartAsync();
        _aws.AddIdentityProvider("111122223333", _issuer.Issuer, "sts.amazonaws.com");
        _aws.AddRole(new AwsRole(Role, WebIdentitySubject: Subject));
        _aws.AddRole(new AwsRole("arn:aws:iam::111122223333:role/other"));
        _aws.AddRole(new AwsRole("arn:aws:iam::444455556666:role/gateway", WebIdentitySubject: Subject));
    }

    public async ValueTask DisposeAsync()
    {
        await _aws.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_token_of_a_known_issuer_audience_and_subject_opens_a_session_without_a_signature()
    {
        var answer = await AssumeAsync(_issuer.Issue(Good));

        Assert.Equal((Subject, _issuer.Issuer, "sts.amazonaws.com"), (answer.SubjectFromWebIdentityToken, answer.Provider, answer.Audience));
        using var client = new AmazonSecurityTokenServiceClient(answer.Credentials, Config());
        Assert.Equal(
            "arn:aws:sts::111122223333:assumed-role/gateway/session",
            (await client.GetCallerIdentityAsync(new(), TestContext.Current.CancellationToken)).Arn);
        var call = Assert.Single(_aws.Calls.Snapshot(), call => call.Action == "AssumeRoleWithWebIdentity");
        Assert.Equal((Role, answer.Credentials.AccessKeyId, ""), (call.AssumeRole!.RoleArn, call.Issued!.AccessKeyId, call.AccessKeyId));
    }

    [Fact]
    public async Task A_token_is_checked_as_STS_checks_it()
    {
        (string Name, string Token, string Code)[] rows =
        [
            ("no token", "abcd", "InvalidIdentityToken"),
            ("no JSON", _issuer.Issue(Good with { RawPayload = "no JSON" }), "InvalidIdentityToken"),
            ("no object", _issuer.Issue(Good with { RawPayload = "[]" }), "InvalidIdentityToken"),
            ("no content", _issuer.Issue(Good with { RawPayload = "" }), "InvalidIdentityToken"),
            ("an encrypted token's form", "e30.e30.e30.e30.e30", "InvalidIdentityToken"),
            ("no base64url", "a.!.c", "InvalidIdentityToken"),
            ("another issuer", _issuer.Issue(Good with { Issuer = "https://other.example.com" }), "InvalidIdentityToken"),
            ("another audience", _issuer.Issue(Good with { Audiences = ["api://gateway"] }), "InvalidIdentityToken"),
            ("another authorized party", _issuer.Issue(Good with { Claims = AuthorizedParty("client") }), "InvalidIdentityToken"),
            ("a foreign key", _issuer.Issue(Good with { Key = SigningKey.CreateRsa() }), "InvalidIdentityToken"),
            ("unsigned", _issuer.Issue(Good with { Algorithm = "none" }), "InvalidIdentityToken"),
            ("signed with the public key", _issuer.Issue(Good with { Algorithm = "HS256" }), "InvalidIdentityToken"),
            ("not yet valid", _issuer.Issue(Good with { NotBefore = TimeSpan.FromHours(1), Expires = TimeSpan.FromHours(2) }), "InvalidIdentityToken"),
            ("without a subject", _issuer.Issue(Good with { Subject = null }), "InvalidIdentityToken"),
            ("expired", _issuer.Issue(Good with { Expires = TimeSpan.FromSeconds(-1) }), "ExpiredTokenException"),
            ("without an end", _issuer.Issue(Good with { Expires = null }), "ExpiredTokenException"),
            ("another subject", _issuer.Issue(Good with { Subject = "system:serviceaccount:iot:other" }), "AccessDenied"),
        ];

        foreach (var (name, token, code) in rows)
            Assert.Equal((name, code), (name, (await Assert.ThrowsAnyAsync<AmazonSecurityTokenServiceException>(() => AssumeAsync(token))).ErrorCode));
    }

    [Fact]
    public async Task An_authorized_party_is_compared_in_place_of_the_audience()
    {
        var answer = await AssumeAsync(_issuer.Issue(Good with { Audiences = ["api://gateway"], Claims = AuthorizedParty("sts.amazonaws.com") }));

        Assert.Equal("sts.amazonaws.com", answer.Audience);
    }

    [Theory]
    [InlineData("a role that lets in no web identity", "arn:aws:iam::111122223333:role/other", "AccessDenied")]
    [InlineData("a role that is not there", "arn:aws:iam::111122223333:role/none", "AccessDenied")]
    [InlineData("an account that does not trust the issuer", "arn:aws:iam::444455556666:role/gateway", "InvalidIdentityToken")]
    public async Task A_role_has_its_own_say(string name, string role, string code) =>
        Assert.Equal(
            (name, code),
            (name, (await Assert.ThrowsAnyAsync<AmazonSecurityTokenServiceException>(() => AssumeAsync(_issuer.Issue(Good), role))).ErrorCode));

    [Fact]
    public async Task An_issuer_that_is_down_is_STSs_own_error_for_it()
    {
        await _issuer.StopAsync();

        Assert.Equal("IDPCommunicationError", (await Assert.ThrowsAsync<IDPCommunicationErrorException>(() => AssumeAsync(_issuer.Issue(Good)))).ErrorCode);
    }

    [Fact]
    public async Task Keys_that_the_issuer_rotates_are_read_again()
    {
        await AssumeAsync(_issuer.Issue(Good));
        _issuer.RotateKeys();
        _issuer.WithdrawOldKeys();

        Assert.Equal(Subject, (await AssumeAsync(_issuer.Issue(Good))).SubjectFromWebIdentityToken);
    }

    [Theory]
    [InlineData("aws-cn", "cn-north-1", "eu-west-1")]
    [InlineData("aws-us-gov", "us-gov-west-1", "us-east-1")]
    [InlineData("aws", "eu-west-1", "cn-northwest-1")]
    public async Task A_key_is_none_in_another_partition(string partition, string region, string elsewhere)
    {
        var key = _aws.AddBaseCredentials("AKIAIOSFODNN7PARTITN", new string('k', 40), "777788889999", partition);

        Assert.StartsWith($"arn:{partition}:iam::", (await CallerAsync(region)).Arn, StringComparison.Ordinal);
        Assert.Equal("InvalidClientTokenId", (await Assert.ThrowsAnyAsync<AmazonSecurityTokenServiceException>(() => CallerAsync(elsewhere))).ErrorCode);

        async Task<GetCallerIdentityResponse> CallerAsync(string where)
        {
            using var client = new AmazonSecurityTokenServiceClient(key.AccessKeyId, key.SecretAccessKey, Config(where));
            return await client.GetCallerIdentityAsync(new(), TestContext.Current.CancellationToken);
        }
    }

    private static TokenRequest Good => new() { Subject = Subject, Audiences = ["sts.amazonaws.com"] };

    private static Dictionary<string, object?> AuthorizedParty(string client) => new() { ["azp"] = client };

    private AmazonSecurityTokenServiceConfig Config(string region = "ap-northeast-1") =>
        new() { ServiceURL = _aws.Url, AuthenticationRegion = region, MaxErrorRetry = 0 };

    private async Task<AssumeRoleWithWebIdentityResponse> AssumeAsync(string token, string role = Role)
    {
        using var client = new AmazonSecurityTokenServiceClient(new AnonymousAWSCredentials(), Config());
        return await client.AssumeRoleWithWebIdentityAsync(
            new AssumeRoleWithWebIdentityRequest { RoleArn = role, RoleSessionName = "session", WebIdentityToken = token },
            TestContext.Current.CancellationToken);
    }
}
