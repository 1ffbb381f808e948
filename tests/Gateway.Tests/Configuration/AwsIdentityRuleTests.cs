using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class AwsIdentityRuleTests : IDisposable
{
    private const string Section = "IotCredentials:AwsIdentity";
    private const string Role = "arn:aws:iam::111122223333:role/iot-gateway";
    private const string Application = "api://22222222-3333-4444-5555-666666666666";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("Source", "\"Azur\"", "Azure")]
    [InlineData("Source", "\"azureAd\"", "Azure")]
    [InlineData("RoleARM", "\"x\"", "Did you mean \"RoleArn\"?")]
    [InlineData("RoleArn", null, "is required")]
    [InlineData("RoleArn", "\"iot-gateway\"", "no role's ARN")]
    [InlineData("RoleArn", "\"arn:aws:iam::111122223333:user/iot-gateway\"", "no role's ARN")]
    [InlineData("RoleArn", "\"arn:aws:iam::{accountId}:role/iot-gateway\"", "no role's ARN")]
    [InlineData("RoleArn", "\"arn:aws-cn:iam::111122223333:role/iot-gateway\"", "of the partition aws-cn, and IotCredentials:Profiles:default of aws")]
    [InlineData("RoleArn", "\"arn:aws-iso-b:iam::111122223333:role/iot-gateway\"", "of the partition aws-iso-b, and IotCredentials:Profiles:default of aws")]
    [InlineData("RoleArn", "\"arn:aws-nope:iam::111122223333:role/iot-gateway\"", "no role's ARN")]
    [InlineData("Audience", null, "is required")]
    [InlineData("Audience", "\" \"", "is required")]
    [InlineData("Audience", "\"api://aws federation\"", "has no blanks")]
    [InlineData("Audience", "\"api://22222222-3333-4444-5555-666666666666/.default\"", "does not end in /.default")]
    [InlineData("ClientId", "\"iot-gateway\"", "a client id is a GUID")]
    [InlineData("ClientId", "\"66666666-7777-8888-9999-000000000000\\n\"", "a client id is a GUID")]
    public void A_mistake_is_an_error_at_its_key(string key, string? value, string expected)
    {
        _configuration.Set(Section, $$"""{ "Source": "Azure", "RoleArn": "{{Role}}", "Audience": "{{Application}}" }""").LoadGood();

        _configuration.Set($"{Section}:{key}", value);

        var finding = _configuration.LoadBad();
        Assert.Equal($"{Section}:{key}", finding.Key);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RoleArn", Role)]
    [InlineData("Audience", Application)]
    [InlineData("ClientId", "66666666-7777-8888-9999-000000000000")]
    public void The_keys_of_Azure_are_errors_while_the_source_is_the_SDKs_chain(string key, string value)
    {
        _configuration.Set(Section, """{ "Source": "Default" }""").LoadGood();

        _configuration.Set(Section, $$"""{ "{{key}}": "{{value}}" }""");

        var finding = _configuration.LoadBad();
        Assert.Equal(($"{Section}:{key}", true), (finding.Key, finding.Message.Contains("Write Azure there", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Profiles:default", "01:00:01", 2)]
    [InlineData("Profiles:default", "12:00:00", 2)]
    [InlineData("Organizations:o-dedicated", "02:00:00", 1)]
    [InlineData("Profiles:default", "01:00:00", 0)]
    public void A_session_of_over_an_hour_is_an_error_because_it_could_never_be_opened(string profile, string duration, int errors)
    {
        _configuration.Set(Section, $$"""{ "Source": "Azure", "RoleArn": "{{Role}}", "Audience": "{{Application}}" }""")
            .Set($"IotCredentials:{profile}:SessionDuration", $"\"{duration}\"");

        var findings = _configuration.Load().Findings;
        Assert.Equal(errors, findings.Count);
        Assert.Equal(errors > 0, findings.Any(finding => finding.Key == $"IotCredentials:{profile}:SessionDuration"));
        Assert.All(findings, finding => Assert.Equal(
            (Severity.Error, true), (finding.Severity, finding.Message.Contains("Azure identity", StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("arn:aws-cn:iam::111122223333:role/a", null, """["eu-west-1"]""", "IotCredentials:Directory:AllowedRegions:0 of aws:")]
    [InlineData("arn:aws-cn:iam::111122223333:role/a", null, """["cn-north-1", "eu-west-1"]""", "IotCredentials:Directory:AllowedRegions:1 of aws:")]
    [InlineData("arn:aws-cn:iam::111122223333:role/a", "arn:aws:iam::{accountId}:role/b", null, "IotCredentials:Profiles:default:RoleArn of aws:")]
    [InlineData("arn:aws:iam::111122223333:role/a", "arn:aws-us-gov:iam::{accountId}:role/b", null, "IotCredentials:Profiles:default:RoleArn of aws-us-gov:")]
    [InlineData("arn:aws-cn:iam::111122223333:role/a", "arn:{partition}:iam::{accountId}:role/b", """["cn-north-1"]""", null)]
    [InlineData("arn:aws-cn:iam::111122223333:role/a", "arn:{partition}:iam::{accountId}:role/b", null, null)]
    public void A_partition_is_compared_where_a_directory_decides_the_region(string own, string? role, string? regions, string? expected)
    {
        _configuration.Set("IotCredentials:Organizations", null)
            .Set("IotCredentials:Profiles:default:Region", null)
            .Set("IotCredentials:Profiles:default:RoleArn", $"\"{role ?? "arn:{partition}:iam::{accountId}:role/b"}\"")
            .Set("IotCredentials:Directory", $$"""
                {
                  "Address": "https://directory.example.com/organizations/{organizationId}", "AllowedAccounts": ["111122223333"],
                  "AllowedRegions": {{regions ?? "[]"}}
                }
                """)
            .Set(Section, $$"""{ "Source": "Azure", "RoleArn": "{{own}}", "Audience": "{{Application}}" }""");

        var finding = _configuration.Load().Findings.SingleOrDefault();
        if (expected is null) Assert.Null(finding);
        else Assert.Equal(($"{Section}:RoleArn", true), (finding?.Key, finding?.Message.Contains(expected, StringComparison.Ordinal)));
    }
}
