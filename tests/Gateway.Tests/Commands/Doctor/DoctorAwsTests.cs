using Gateway.Tests.Vending;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Commands.Doctor;

/// <summary><c>doctor</c> against each way in which AWS fails: one line with the true cause, which docs/troubleshooting.md has with what to do.</summary>
public sealed class DoctorAwsTests
{
    private const string Sts = "STS ap-northeast-1";
    private const string Endpoint = "IoT endpoint of default";
    private const string Session = "AssumeRole of default for o-acme";
    private const string Container = "AWS_CONTAINER_CREDENTIALS_FULL_URI=AGENT/credentials AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=FOLDER/agent-token";
    private const string WebIdentity = "AWS_ROLE_ARN=ROLE AWS_WEB_IDENTITY_TOKEN_FILE=FOLDER/web-identity";
    private const string Keys = "AWS_ACCESS_KEY_ID=KEYID AWS_SECRET_ACCESS_KEY=KEYSECRET";

    private static readonly Failure[] s_failures =
    [
        // The gateway's own credentials
        new("D13 an expired session", Keys, Sts,
            "the gateway's session at AWS has expired: renew AWS_SESSION_TOKEN and its keys where they come from (403 ExpiredToken)",
            setting => setting.World.Aws.Inject(AwsFault.Error("ExpiredToken", 403))),
        new("D13 a key that is not known", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7UNKNOWN AWS_SECRET_ACCESS_KEY=KEYSECRET", Sts,
            "AWS does not know the gateway's access key: it was deleted or deactivated, is of another partition, "
                + "or the region is not enabled for its account (403 InvalidClientTokenId)"),
        new("D13 another secret", "AWS_ACCESS_KEY_ID=KEYID AWS_SECRET_ACCESS_KEY=wrong", Sts,
            "the gateway's secret key does not belong to its access key id, or something on the way changes requests (403 SignatureDoesNotMatch)"),
        new("D13 another secret, said by AWS IoT", "AWS_ACCESS_KEY_ID=KEYID AWS_SECRET_ACCESS_KEY=wrong", Endpoint,
            "the gateway's secret key does not belong to its access key id"),
        new("D13 a clock that is ahead", $"{Keys} AWS_DISABLE_CLOCK_SKEW_CORRECTION=true", Sts,
            "the clock of this machine is 20 min ahead of AWS's: set it by NTP", Clock: TimeSpan.FromMinutes(-20)),
        new("D13 a clock that is behind", $"{Keys} AWS_DISABLE_CLOCK_SKEW_CORRECTION=true", Sts,
            "the clock of this machine is 30 min behind AWS's: set it by NTP", Clock: TimeSpan.FromMinutes(30)),
        new("D13 no source", "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1", Sts,
            "no AWS credentials are configured (variables, a web identity, a profile, a container), and the instance metadata has none: "
                + "set a source, or give the instance a role"),
        new("D13 the instance metadata is down", "AWS_EC2_METADATA_SERVICE_ENDPOINT=AGENT", Sts, "and the instance metadata has none",
            setting => setting.Agent.IsDown = true),
        new("D13 an agent that is down", Container, Sts,
            "the address in AWS_CONTAINER_CREDENTIALS_FULL_URI does not hand out credentials: look at the agent behind it",
            setting => setting.Agent.IsDown = true),
        new("D13 an agent that does not take the token", Container, Sts, "does not hand out credentials",
            setting => setting.Agent.Token = CredentialAgent.NewToken()),
        new("D13 an agent that hangs", Container, Sts, "AWS_CONTAINER_CREDENTIALS_FULL_URI does not ", setting => setting.Agent.Hangs = true, Timeout: 5),
        new("D13 an agent that refuses at once, and little time", Container, Sts, "the agent behind it is silent, or refuses",
            setting => setting.Agent.Token = CredentialAgent.NewToken(), Timeout: 1),
        new("a web identity that has expired", WebIdentity, Sts,
            "the token that AWS_WEB_IDENTITY_TOKEN_FILE names has expired: look for what renews it (sts:AssumeRoleWithWebIdentity: 400 ExpiredTokenException)",
            setting => setting.WriteToken(
                new TokenRequest { Subject = CredentialSourceTests.Subject, Audiences = ["sts.amazonaws.com"], Expires = TimeSpan.FromMinutes(-1) })),
        new("a web identity for another audience", WebIdentity, Sts,
            "AWS does not take the token that AWS_WEB_IDENTITY_TOKEN_FILE names: "
                + "the role's account needs an OpenID provider with its issuer and audience (sts:AssumeRoleWithWebIdentity: 400 InvalidIdentityToken)",
            setting => setting.WriteToken(new TokenRequest { Subject = CredentialSourceTests.Subject })),
        new("a web identity of another subject", WebIdentity, Sts,
            "the role's trust policy does not let in the token that AWS_WEB_IDENTITY_TOKEN_FILE names: "
                + "compare its conditions on sub and aud (sts:AssumeRoleWithWebIdentity: 403 AccessDenied)",
            setting => setting.WriteToken(new TokenRequest { Subject = "other", Audiences = ["sts.amazonaws.com"] })),
        new("a web identity that its issuer rejects", WebIdentity, Sts, "the issuer of the token that AWS_WEB_IDENTITY_TOKEN_FILE names rejects it",
            setting => setting.World.Aws.Inject(AwsFault.Error("IDPRejectedClaim", 403), "AssumeRoleWithWebIdentity")),
        new("a web identity in a region that is not activated", WebIdentity, Sts,
            "STS is not activated in this region: activate it in the account settings of IAM (sts:AssumeRoleWithWebIdentity: 403 RegionDisabledException)",
            setting => setting.World.Aws.Inject(AwsFault.Error("RegionDisabledException", 403), "AssumeRoleWithWebIdentity")),
        new("a web identity that STS cannot read", WebIdentity, Sts,
            "AWS does not open a session for the token that AWS_WEB_IDENTITY_TOKEN_FILE names: compare AWS_ROLE_ARN, AWS_REGION and the content of the token's "
                + "file (sts:AssumeRoleWithWebIdentity: 400 ValidationError)",
            setting => setting.World.Aws.Inject(AwsFault.Error("ValidationError"), "AssumeRoleWithWebIdentity")),
        new("a web identity of blank lines", WebIdentity, Sts, "web-identity, which is empty", setting => setting.WriteText("\n \r\n")),
        new("a web identity whose issuer STS cannot reach", WebIdentity, Sts, "sts:AssumeRoleWithWebIdentity: 400 IDPCommunicationError",
            setting => setting.World.Aws.Inject(AwsFault.Error("IDPCommunicationError"), "AssumeRoleWithWebIdentity")),
        new("D11 nobody has signed in", "AWS_PROFILE=dev", Sts,
            "the profile dev signs in by IAM Identity Center, and there is no sign-in: run `aws sso login --profile dev` as the gateway's user",
            Config: "[profile dev]\nsso_session = other\nsso_account_id = 111122223333\nsso_role_name = gateway\n"
                + "[sso-session other]\nsso_region = eu-west-1\nsso_start_url = https://other.awsapps.com/start\n"),
        new("D11 the sign-in has ended", "AWS_PROFILE=dev AWS_ENDPOINT_URL_SSO=AGENT", Sts,
            "the sign-in of the profile dev has ended: run `aws sso login` as the gateway's user",
            setting => setting.Agent.Token = CredentialAgent.NewToken(),
            Config: "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = gateway\n"
                + "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n"),
        new("D11 a sign-in that is not supported", "AWS_PROFILE=dev", Sts,
            "the profile dev signs in by `aws login`, which needs AWSSDK.Signin, and that is not part of this program: use another source of credentials",
            Config: "[profile dev]\nlogin_session = arn:aws:iam::111122223333:user/a\nregion = eu-west-1\n"),
        new("D11 a code to type", "AWS_PROFILE=dev", Sts, "the profile dev asks for a code (mfa_serial), which a service cannot enter",
            Config: "[profile dev]\nrole_arn = ROLE\nsource_profile = base\nmfa_serial = arn:aws:iam::111122223333:mfa/a\n"
                + "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"),
        new("D11 a source that is not there", "AWS_PROFILE=dev", Sts, "source_profile of the profile dev names base, which is not there",
            Config: "[profile dev]\nrole_arn = ROLE\nsource_profile = base\n"),
        new("D11 a circle", "AWS_PROFILE=dev", Sts, "leads back to itself",
            Config: "[profile dev]\nrole_arn = ROLE\nsource_profile = base\n[profile base]\nrole_arn = ROLE\nsource_profile = dev\n"),
        new("D11 a program that fails", "AWS_PROFILE=dev", Sts,
            "the credential_process of the profile dev does not print credentials: run it as the gateway's user",
            Config: "[profile dev]\ncredential_process = false\n"),
        new("D11 half a key", "AWS_PROFILE=dev", Sts, "the profile dev has an aws_access_key_id and no aws_secret_access_key",
            Config: "[profile dev]\naws_access_key_id = a\n"),
        new("D11 half a key in capitals", "AWS_PROFILE=dev", Sts, "the profile dev has an aws_access_key_id and no aws_secret_access_key",
            Config: "[profile dev]\nAWS_ACCESS_KEY_ID = a\n"),
        new("D11 half a key of a profile after two blanks", "AWS_PROFILE=dev", Sts, "the profile dev has an aws_access_key_id and no aws_secret_access_key",
            Config: "[profile  dev]\naws_access_key_id = a\n"),
        new("D11 half a key of a profile after a tab", "AWS_PROFILE=dev", Sts, "the profile dev has an aws_access_key_id and no aws_secret_access_key",
            Config: "[profile\tdev]\naws_access_key_id = a\n"),
        new("D11 a comment behind a key", "AWS_PROFILE=dev", Sts, "the aws_access_key_id of the profile dev holds a blank",
            Config: "[profile dev]\naws_access_key_id = a # mine\naws_secret_access_key = b\n"),
        // STS and AWS IoT
        new("D4 a proxy's page", Keys, Sts, "sts:GetCallerIdentity: 502, and the response is not one of AWS's",
            setting => setting.World.Aws.Inject(AwsFault.Response(502, "<html>hunter2</html>"))),
        new("D14 throttling", Keys, Session, "sts:AssumeRole: 400 Throttling", setting => setting.World.Aws.Inject(AwsFault.Throttling(), "AssumeRole")),
        new("a name that does not resolve", $"{Keys} AWS_ENDPOINT_URL_STS=http://sts.example.invalid", Sts,
            "sts:GetCallerIdentity: the name sts.example.invalid does not resolve"),
        new("a port that is closed", $"{Keys} AWS_ENDPOINT_URL_IOT=http://127.0.0.1:1", Endpoint, "Connection refused"),
        new("D6 an address that is none", $"{Keys} AWS_ENDPOINT_URL_STS=hunter2", Sts,
            "an address of AWS in AWS_ENDPOINT_URL… or in a profile's endpoint_url is not a URL"),
        new("a response that does not come", Keys, Endpoint, "no response within 5 s", setting => setting.World.Aws.Inject(AwsFault.Hang(), "DescribeEndpoint"),
            Timeout: 5),
        new("a tag that is denied", Keys, Session, "sts:AssumeRole: 403 AccessDenied: not authorized to perform sts:TagSession",
            setting => setting.World.Aws.Inject(
                AwsFault.Error("AccessDenied", 403, "User: a is not authorized to perform: sts:TagSession on resource: b"), "AssumeRole")),
        new("an external id that the trust policy does not take", Keys, Session, "sts:AssumeRole: 403 AccessDenied: not authorized to perform sts:AssumeRole",
            setting => setting.World.Aws.AddRole(new AwsRole("arn:aws:iam::111122223333:role/iot-organization", ExternalId: "other"))),
        new("a region whose STS is off", Keys, Session, "sts:AssumeRole: 403 RegionDisabledException: STS is not activated in this region",
            setting => setting.World.Aws.Inject(AwsFault.Error("RegionDisabledException", 403), "AssumeRole")),
        new("a session that is too long for the role", Keys, Session, "SessionDuration is longer than the role's maximum session duration",
            setting => setting.World.Aws.AddRole(new AwsRole("arn:aws:iam::111122223333:role/iot-organization", MaxSessionDuration: TimeSpan.FromMinutes(30)))),
        new("a session that is too long for a role's", Container, Session, "a role's own session gets one hour at most: lower SessionDuration to 01:00:00",
            SessionDuration: "02:00:00"),
        new("D7 an endpoint of the gateway's own account", Keys, Endpoint,
            "AWS IoT names the endpoint of the account 111122223333, the gateway's own, and RoleArn is of 444455556666: name EndpointRoleArn or IotEndpoint",
            Account: "444455556666"),
    ];

    [Fact]
    public void Each_cause_is_documented()
    {
        var documented = File.ReadAllText(Path.Combine(Repository.Root, "docs", "troubleshooting.md"));

        // Names, numbers and remedies differ: three words in a row are the same.
        var missing = s_failures.Where(failure =>
        {
            var words = failure.Cause.Split(' ');
            var rows = Enumerable.Range(0, Math.Max(1, words.Length - 2)).Select(start => string.Join(' ', words.Skip(start).Take(3)));
            return !rows.Any(row => documented.Contains(row, StringComparison.Ordinal));
        });

        Assert.Empty(missing.Select(failure => failure.Cause));
    }

    [Fact]
    public async Task Doctor_says_the_true_cause_of_each_failure_in_a_line_that_the_documentation_has()
    {
        var problems = new List<string>();
        await Parallel.ForEachAsync(Sample.Of(9, s_failures), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (failure, _) =>
        {
            if (await ExamineAsync(failure) is { } problem) lock (problems) problems.Add(problem);
        });

        Assert.True(problems.Count == 0, string.Join('\n', problems));
    }

    private static async Task<string?> ExamineAsync(Failure failure)
    {
        var time = failure.Clock is { } off ? new FakeTimeProvider(DateTimeOffset.UtcNow + off) : null;
        await using var world = await World.StartAsync();
        await using var aws = time is null ? null : await AwsEmulator.StartAsync(time: time);
        await using var agent = await CredentialAgent.StartAsync(world.Aws);
        await using var cluster = await OpenIdProvider.StartAsync();
        var keys = world.Aws.BaseCredentials;
        var (folder, environment) = CredentialSourceTests.Prepare(
            world, agent, cluster,
            failure.Variables.Replace("KEYID", keys.AccessKeyId, StringComparison.Ordinal)
                .Replace("KEYSECRET", keys.SecretAccessKey, StringComparison.Ordinal),
            failure.Config,
            change: settings => settings
                .Set("IotCredentials:Profiles:default:SessionDuration", $"\"{failure.SessionDuration}\"")
                .Set("IotCredentials:Profiles:default:RoleArn", $"\"arn:aws:iam::{failure.Account}:role/iot-organization\""));
        using var _ = folder;
        if (aws is not null) environment["AWS_ENDPOINT_URL_STS"] = environment["AWS_ENDPOINT_URL_IOT"] = aws.Url;
        failure.Prepare?.Invoke(new(world, agent, request => folder.Write("web-identity", cluster.Issue(request)),
            text => folder.Write("web-identity", text)));

        var (exitCode, output) = await GatewayProcess.RunAsync(
            ["doctor", "--config", folder.Path, "--organization", "o-acme", "--timeout", $"{failure.Timeout}"], environment);

        var line = output.Split('\n').SingleOrDefault(line => line.StartsWith(failure.Check, StringComparison.Ordinal));
        return exitCode == 1
            && line is not null
            && line.Contains("  failed ", StringComparison.Ordinal)
            && line.Contains(failure.Cause, StringComparison.Ordinal)
            && !output.Contains("hunter2", StringComparison.Ordinal)
            ? null
            : $"{failure.Name}: {exitCode} {output}";
    }

    private sealed record Setting(World World, CredentialAgent Agent, Action<TokenRequest> WriteToken, Action<string> WriteText);

    private sealed record Failure(
        string Name, string Variables, string Check, string Cause, Action<Setting>? Prepare = null, string Config = "", TimeSpan? Clock = null,
        int Timeout = 100, string SessionDuration = "01:00:00", string Account = "111122223333");
}
