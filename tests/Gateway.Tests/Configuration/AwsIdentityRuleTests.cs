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

    [Fact]
    public void A_session_of_over_an_hour_is_the_same_warning_as_with_any_role()
    {
        _configuration.Set(Section, $$"""{ "Source": "Azure", "RoleArn": "{{Role}}", "Audience": "{{Application}}" }""")
            .Set("IotCredentials:Profiles:default:SessionDuration", "\"02:00:00\"");

        var finding = Assert.Single(_configuration.Load().Findings, finding => finding.Key == "IotCredentials:Profiles:default:SessionDuration");
        Assert.Equal((Severity.Warning, true), (finding.Severity, finding.Message.Contains("role chaining", StringComparison.Ordinal)));
    }
}
