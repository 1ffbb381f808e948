using Amazon.Runtime;
using Amazon.SecurityToken;
using Amazon.SecurityToken.Model;
using Xunit;

// The SDK's analyzer knows the same limits; the vectors exceed them on purpose.
#pragma warning disable SecurityTokenService1000, SecurityTokenService1001, SecurityTokenService1002, SecurityTokenService1003, SecurityTokenService1004

namespace Sandbox.Tests;

/// <summary>Each limit of AssumeRole at its bound, which is granted, and one over, which is refused; through the real SDK.</summary>
public sealed class AssumeRoleLimitsTests(AssumeRoleLimitsTests.Emulator emulator) : IClassFixture<AssumeRoleLimitsTests.Emulator>
{
    public static TheoryData<string, string?> Vectors { get; } = new()
    {
        { "role 20", null },
        { "role 2048", null },
        { "role 2049", "ValidationError" },
        { "role 19", "ValidationError" },
        { "role malformed", "ValidationError" },
        { "role missing", "ValidationError" },
        { "name 2", null },
        { "name 64", null },
        { "name 1", "ValidationError" },
        { "name 65", "ValidationError" },
        { "name all characters", null },
        { "name colon", "ValidationError" },
        { "name non-ASCII letter", "ValidationError" },
        { "name line feed", "ValidationError" },
        { "name missing", "ValidationError" },
        { "duration 900", null },
        { "duration 43200", null },
        { "duration 899", "ValidationError" },
        { "duration 43201", "ValidationError" },
        { "duration chained 3600", null },
        { "duration chained 3601", "ValidationError" },
        { "policy 2048", null },
        { "policy 2049", "ValidationError" },
        { "policy non-Latin", "ValidationError" },
        { "policy no JSON", "MalformedPolicyDocument" },
        { "policy duplicate member", "MalformedPolicyDocument" },
        { "policy no Version", "MalformedPolicyDocument" },
        { "policy wrong Version", "MalformedPolicyDocument" },
        { "policy numeric Version", "MalformedPolicyDocument" },
        { "policy no Statement", "MalformedPolicyDocument" },
        { "policy empty Statement", "MalformedPolicyDocument" },
        { "policy single Statement", null },
        { "policy no Effect", "MalformedPolicyDocument" },
        { "policy Principal", "MalformedPolicyDocument" },
        { "policy no Action", "MalformedPolicyDocument" },
        { "policy action without vendor", "MalformedPolicyDocument" },
        { "policy resource no ARN", "MalformedPolicyDocument" },
        { "external id 2", null },
        { "external id 1224", null },
        { "external id 1", "ValidationError" },
        { "external id 1225", "ValidationError" },
        { "external id all characters", null },
        { "external id space", "ValidationError" },
        { "source identity 2", null },
        { "source identity 64", null },
        { "source identity 1", "ValidationError" },
        { "source identity 65", "ValidationError" },
        { "source identity slash", "ValidationError" },
        { "source identity aws:", "ValidationError" },
        { "tags 50", null },
        { "tags 51", "ValidationError" },
        { "tag key 128", null },
        { "tag key 129", "ValidationError" },
        { "tag key empty", "ValidationError" },
        { "tag key aws:", "ValidationError" },
        { "tag key non-ASCII letter", null },
        { "tag key star", "ValidationError" },
        { "tag value 0", null },
        { "tag value 256", null },
        { "tag value 257", "ValidationError" },
        { "tag keys same but for case", "InvalidParameterValue" },
        { "tags too much to pack", "PackedPolicyTooLarge" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public async Task Limit(string vector, string? error)
    {
        var request = new AssumeRoleRequest { RoleArn = "arn:aws:iam::111122223333:role/iot", RoleSessionName = "session" };
        Bend(request, vector);
        var client = vector.Contains("chained", StringComparison.Ordinal) ? emulator.ChainedClient : emulator.Client;

        var exception = await Record.ExceptionAsync(() => client.AssumeRoleAsync(request, TestContext.Current.CancellationToken));

        Assert.Equal(error, exception is null ? null : Assert.IsAssignableFrom<AmazonServiceException>(exception).ErrorCode);
    }

    [Fact]
    public async Task Duration_defaults_to_one_hour()
    {
        var before = DateTime.UtcNow;
        var answer = await emulator.Client.AssumeRoleAsync(
            new AssumeRoleRequest { RoleArn = "arn:aws:iam::111122223333:role/iot", RoleSessionName = "session" }, TestContext.Current.CancellationToken);

        Assert.InRange(answer.Credentials.Expiration!.Value.ToUniversalTime() - before, TimeSpan.FromMinutes(59), TimeSpan.FromMinutes(61));
    }

    private static void Bend(AssumeRoleRequest request, string vector)
    {
        const string Statement = """{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}""";
        switch (vector)
        {
            case "role 20": request.RoleArn = "arn:aws:iam::111122223333:role/x"; break;
            case "role 2048": request.RoleArn = RoleArn(2048); break;
            case "role 2049": request.RoleArn = RoleArn(2049); break;
            case "role 19": request.RoleArn = "arn:aws:iam::1:role"; break;
            case "role malformed": request.RoleArn = "arn:aws:iam::111122223333:user/iot"; break;
            case "role missing": request.RoleArn = null; break;
            case "name 2": request.RoleSessionName = "ab"; break;
            case "name 64": request.RoleSessionName = new string('a', 64); break;
            case "name 1": request.RoleSessionName = "a"; break;
            case "name 65": request.RoleSessionName = new string('a', 65); break;
            case "name all characters": request.RoleSessionName = "aZ0_+=,.@-"; break;
            case "name colon": request.RoleSessionName = "a:b"; break;
            case "name non-ASCII letter": request.RoleSessionName = "añb"; break;
            case "name line feed": request.RoleSessionName = "ab\n"; break;
            case "name missing": request.RoleSessionName = null; break;
            case "duration 900": request.DurationSeconds = 900; break;
            case "duration 43200": request.DurationSeconds = 43200; break;
            case "duration 899": request.DurationSeconds = 899; break;
            case "duration 43201": request.DurationSeconds = 43201; break;
            case "duration chained 3600": request.DurationSeconds = 3600; break;
            case "duration chained 3601": request.DurationSeconds = 3601; break;
            case "policy 2048": request.Policy = Document(Statement).PadRight(2048); break;
            case "policy 2049": request.Policy = Document(Statement).PadRight(2049); break;
            case "policy non-Latin": request.Policy = Document(Statement.Replace("*", "arn:aws:iot:猫", StringComparison.Ordinal)); break;
            case "policy no JSON": request.Policy = Document(Statement) + "}"; break;
            case "policy duplicate member": request.Policy = Document("""{"Effect":"Deny",""" + Statement[1..]); break;
            case "policy no Version": request.Policy = $$"""{"Statement":[{{Statement}}]}"""; break;
            case "policy wrong Version": request.Policy = $$"""{"Version":"2024-01-01","Statement":[{{Statement}}]}"""; break;
            case "policy numeric Version": request.Policy = $$"""{"Version":2012,"Statement":[{{Statement}}]}"""; break;
            case "policy no Statement": request.Policy = """{"Version":"2012-10-17"}"""; break;
            case "policy empty Statement": request.Policy = Document(""); break;
            case "policy single Statement": request.Policy = $$"""{"Version":"2012-10-17","Statement":{{Statement}}}"""; break;
            case "policy no Effect": request.Policy = Document("""{"Action":"iot:Connect","Resource":"*"}"""); break;
            case "policy Principal": request.Policy = Document("""{"Principal":"*",""" + Statement[1..]); break;
            case "policy no Action": request.Policy = Document("""{"Effect":"Allow","Resource":"*"}"""); break;
            case "policy action without vendor": request.Policy = Document("""{"Effect":"Allow","Action":"Connect","Resource":"*"}"""); break;
            case "policy resource no ARN": request.Policy = Document("""{"Effect":"Allow","Action":"iot:Connect","Resource":["*","client/a"]}"""); break;
            case "external id 2": request.ExternalId = "ab"; break;
            case "external id 1224": request.ExternalId = new string('e', 1224); break;
            case "external id 1": request.ExternalId = "a"; break;
            case "external id 1225": request.ExternalId = new string('e', 1225); break;
            case "external id all characters": request.ExternalId = "aZ0_+=,.@:/-"; break;
            case "external id space": request.ExternalId = "a b"; break;
            case "source identity 2": request.SourceIdentity = "ab"; break;
            case "source identity 64": request.SourceIdentity = new string('s', 64); break;
            case "source identity 1": request.SourceIdentity = "a"; break;
            case "source identity 65": request.SourceIdentity = new string('s', 65); break;
            case "source identity slash": request.SourceIdentity = "a/b"; break;
            case "source identity aws:": request.SourceIdentity = "aws:alice"; break;
            case "tags 50": request.Tags = Tags(50, key => ($"k{key}", "v")); break;
            case "tags 51": request.Tags = Tags(51, key => ($"k{key}", "v")); break;
            case "tag key 128": request.Tags = Tags(1, _ => (new string('k', 128), "v")); break;
            case "tag key 129": request.Tags = Tags(1, _ => (new string('k', 129), "v")); break;
            case "tag key empty": request.Tags = Tags(1, _ => ("", "v")); break;
            case "tag key aws:": request.Tags = Tags(1, _ => ("aws:k", "v")); break;
            case "tag key non-ASCII letter": request.Tags = Tags(1, _ => ("ключ", "v")); break;
            case "tag key star": request.Tags = Tags(1, _ => ("k*", "v")); break;
            case "tag value 0": request.Tags = Tags(1, _ => ("k", "")); break;
            case "tag value 256": request.Tags = Tags(1, _ => ("k", new string('v', 256))); break;
            case "tag value 257": request.Tags = Tags(1, _ => ("k", new string('v', 257))); break;
            case "tag keys same but for case": request.Tags = Tags(2, index => (index == 0 ? "Key" : "key", "v")); break;
            case "tags too much to pack": request.Tags = Tags(50, key => ($"k{key}", $"{Guid.NewGuid():N}{Guid.NewGuid():N}{Guid.NewGuid():N}")); break;
            default: throw new ArgumentException($"Unknown vector '{vector}'.", nameof(vector));
        }

        static string RoleArn(int length) => "arn:aws:iam::111122223333:role/".PadRight(length, 'r');

        static string Document(string statements) => $$"""{"Version":"2012-10-17","Statement":[{{statements}}]}""";

        static List<Tag> Tags(int count, Func<int, (string Key, string Value)> tag) =>
            [.. Enumerable.Range(0, count).Select(tag).Select(each => new Tag { Key = each.Key, Value = each.Value })];
    }

    /// <summary>One emulator for all vectors, with a client on base keys and one on a role's session.</summary>
    public sealed class Emulator : IAsyncLifetime
    {
        private AwsEmulator _aws = null!;

        public AmazonSecurityTokenServiceClient Client { get; private set; } = null!;

        public AmazonSecurityTokenServiceClient ChainedClient { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _aws = await AwsEmulator.StartAsync();
            var session = _aws.IssueRoleSession("arn:aws:iam::111122223333:role/gateway", "gateway", TimeSpan.FromHours(1));
            var config = new AmazonSecurityTokenServiceConfig { ServiceURL = _aws.Url, AuthenticationRegion = "us-east-1", MaxErrorRetry = 0 };
            Client = new AmazonSecurityTokenServiceClient(_aws.BaseCredentials.AccessKeyId, _aws.BaseCredentials.SecretAccessKey, config);
            ChainedClient = new AmazonSecurityTokenServiceClient(session.AccessKeyId, session.SecretAccessKey, session.SessionToken, config);
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            ChainedClient.Dispose();
            await _aws.DisposeAsync();
        }
    }
}
