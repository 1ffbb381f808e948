using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class DirectoryRuleTests : IDisposable
{
    private const string Directory = "IotCredentials:Directory";
    private const string Profile = "IotCredentials:Profiles:default";
    private const string Own = "arn:aws:iam::111122223333:role/iot";
    private const string Anywhere = "arn:{partition}:iam::{accountId}:role/iot";

    private readonly ConfigurationFixture _configuration = new();

    public DirectoryRuleTests()
    {
        _configuration.Set(Directory, """
            { "Address": "https://organizations.example.com/organizations/{organizationId}?v=1", "AllowedAccounts": ["111122223333", "444455556666"] }
            """);
        _configuration.Set(Profile + ":RoleArn", "\"arn:{partition}:iam::{accountId}:role/iot-organization\"");
        _configuration.Set(Profile + ":Region", "null");
        _configuration.Set(Profile + ":IotEndpoint", "null");
        _configuration.Set("IotCredentials:Organizations", "{}");
    }

    public void Dispose() => _configuration.Dispose();

    [Fact]
    public void A_directory_is_enough_to_leave_account_and_region_out()
    {
        var loaded = _configuration.Load();

        Assert.True(loaded.Snapshot is not null, string.Join('\n', loaded.Findings));
    }

    [Theory]
    [InlineData(":Address", "null", "is missing")]
    [InlineData(":Address", "\"/organizations/{organizationId}\"", "is not an absolute http or https")]
    [InlineData(":Address", "\"ftp://a.example.com/{organizationId}\"", "is not an absolute http or https")]
    [InlineData(":Address", "\"https://a.example.com/organizations\"", "once")]
    [InlineData(":Address", "\"https://a.example.com/{organizationId}/{organizationId}\"", "once")]
    [InlineData(":Address", "\"https://a.example.com/{organizationId}/{region}\"", "other braces")]
    [InlineData(":Address", "\"https://{organizationId}.example.com/\"", "in its path")]
    [InlineData(":Address", "\"https://a.example.com/?id={organizationId}\"", "in its path")]
    [InlineData(":Address", "\"https://a.example.com/{organizationId}/../x\"", "in its path")]
    [InlineData(":Address", "\"https://user:word@a.example.com/{organizationId}\"", "a user")]
    [InlineData(":Address", "\"https://a.example.com/{organizationId}#x\"", "fragment")]
    [InlineData(":TokenPath", "\"missing\"", "cannot be read")]
    [InlineData(":TokenPath", "\"/nowhere/token\"", "cannot be read")]
    [InlineData(":Timeout", "\"00:00:00\"", "over 0")]
    [InlineData(":Timeout", "\"-00:00:01\"", "over 0")]
    [InlineData(":CacheFor", "\"00:00:00\"", "00:00:01")]
    [InlineData(":StaleFor", "\"-00:00:01\"", "00:00:00")]
    [InlineData(":UnknownFor", "\"-00:00:01\"", "00:00:00")]
    [InlineData(":AllowedAccounts", "null", "is null")]
    [InlineData(":AllowedAccounts", "[]", "is empty")]
    [InlineData(":AllowedAccounts:1", "\"44445555666\"", "12 digits")]
    [InlineData(":AllowedAccounts:1", "\"*\"", "12 digits")]
    [InlineData(":AllowedRegions", "[\"Ireland\"]", "is not an AWS region")]
    public void A_value_that_cannot_be_used_is_an_error_by_its_key(string key, string json, string message)
    {
        if (key.EndsWith(":1", StringComparison.Ordinal)) _configuration.Set(Directory + key[..^2], $"[\"111122223333\", {json}]");
        else _configuration.Set(Directory + key, json);

        var finding = Assert.Single(_configuration.Load().Findings, finding => finding.Severity == Severity.Error);
        Assert.StartsWith(Directory + key, finding.Key, StringComparison.Ordinal);
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("two\nlines")]
    [InlineData("\ufefftoken")]
    [InlineData("t\u00f6ken")]
    public void A_token_that_every_call_would_refuse_is_an_error_that_does_not_show_it(string content)
    {
        _configuration.Write("token", content);
        _configuration.Set(Directory + ":TokenPath", "\"token\"");

        var finding = Assert.Single(_configuration.Load().Findings, finding => finding.Severity == Severity.Error);
        Assert.Equal(Directory + ":TokenPath", finding.Key);
        Assert.Contains("holds no token", finding.Message, StringComparison.Ordinal);
        if (content.Length > 0) Assert.DoesNotContain(content, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16 * 1024, true)]
    [InlineData((16 * 1024) + 1, false)]
    public void A_token_file_has_16_KiB_at_most(int length, bool isFine)
    {
        _configuration.Write("token", new string('t', length));
        _configuration.Set(Directory + ":TokenPath", "\"token\"");

        Assert.Equal(isFine, _configuration.Load().Snapshot is not null);
    }

    [Fact]
    public void A_token_file_without_an_end_is_an_error()
    {
        _configuration.Set(Directory + ":TokenPath", "\"/dev/zero\"");

        Assert.Contains(_configuration.Load().Findings, finding => finding.Key == Directory + ":TokenPath" && finding.Severity == Severity.Error);
    }

    [Fact]
    public void Any_account_is_a_warning()
    {
        _configuration.Set(Directory + ":AllowedAccounts", "[\"*\"]");

        var loaded = _configuration.Load();

        Assert.NotNull(loaded.Snapshot);
        Assert.Contains(loaded.Findings, finding => finding is { Severity: Severity.Warning, Key: Directory + ":AllowedAccounts" });
    }

    [Theory]
    [InlineData(":RoleArn", "\"arn:aws:iam::999988887777:role/iot\"", "AllowedAccounts does not name")]
    [InlineData(":IotEndpoint", "\"abc-ats.iot.eu-west-1.amazonaws.com\"", "belongs to one account")]
    [InlineData(":EndpointRoleArn", "\"arn:aws:iam::{accountId}:role/{organizationId}\"", "holds a placeholder")]
    public void A_profile_that_no_response_can_fit_is_an_error(string key, string json, string message)
    {
        _configuration.Set(Profile + key, json);

        Assert.Contains(_configuration.Load().Findings, finding =>
            finding.Severity == Severity.Error && finding.Key == Profile + key && finding.Message.Contains(message, StringComparison.Ordinal));
    }

    /// <summary>Keys that contradict each other wherever an organization lives: the role, its endpoint's role, the allowed regions.</summary>
    [Theory]
    [InlineData(Own, "arn:aws:iam::444455556666:role/e", "[]", "EndpointRoleArn", "of the account 444455556666, and RoleArn of 111122223333")]
    [InlineData("arn:aws-cn:iam::111122223333:role/iot", "arn:aws-cn:iam::444455556666:role/e", "[]", "EndpointRoleArn", "RoleArn of 111122223333")]
    [InlineData(Own, "arn:aws-cn:iam::{accountId}:role/e", "[]", "EndpointRoleArn", "of the partition aws-cn")]
    [InlineData(Own, "arn:aws-cn:iam::{accountId}:role/e", "[\"eu-west-1\"]", "EndpointRoleArn", "of the partition aws-cn")]
    [InlineData(Own, null, "[\"cn-north-1\", \"cn-northwest-1\"]", "RoleArn", "of the partition aws, and the region cn-north-1 is of aws-cn")]
    [InlineData("arn:aws-cn:iam::{accountId}:role/iot", null, "[\"eu-west-1\", \"us-gov-west-1\"]", "RoleArn", "of the partition aws-cn, and the region")]
    [InlineData(Anywhere, "arn:aws:iam::{accountId}:role/e", "[\"cn-north-1\"]", "EndpointRoleArn", "partition aws,")]
    public void A_contradiction_that_no_response_can_resolve_is_an_error(string role, string? endpointRole, string regions, string key, string message)
    {
        Set(role, endpointRole, regions);

        var finding = Assert.Single(_configuration.Load().Findings, finding => finding.Severity == Severity.Error);
        Assert.Equal($"{Profile}:{key}", finding.Key);
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Own, "arn:aws:iam::111122223333:role/e", "[]")]
    [InlineData(Own, "arn:{partition}:iam::{accountId}:role/e", "[\"eu-west-1\"]")]
    [InlineData(Own, null, "[\"cn-north-1\", \"eu-west-1\"]")]
    [InlineData("arn:aws-cn:iam::{accountId}:role/iot", "arn:aws-cn:iam::{accountId}:role/e", "[]")]
    [InlineData(Anywhere, "arn:{partition}:iam::{accountId}:role/e", "[\"cn-north-1\", \"eu-west-1\"]")]
    public void Keys_that_a_response_can_fit_are_fine(string role, string? endpointRole, string regions)
    {
        Set(role, endpointRole, regions);

        var loaded = _configuration.Load();

        Assert.NotNull(loaded.Snapshot);
        Assert.DoesNotContain(loaded.Findings, finding => finding.Key.StartsWith(Profile, StringComparison.Ordinal));
    }

    [Fact]
    public void An_endpoint_role_of_one_account_is_a_warning_if_responses_may_name_several_and_an_error_if_they_name_another()
    {
        Set("arn:aws:iam::{accountId}:role/iot", "arn:aws:iam::111122223333:role/e", "[]");

        var several = _configuration.Load();
        _configuration.Set(Directory + ":AllowedAccounts", "[\"444455556666\"]");
        var other = _configuration.Load();
        _configuration.Set(Directory + ":AllowedAccounts", "[\"111122223333\"]");
        var same = _configuration.Load();

        Assert.NotNull(several.Snapshot);
        var finding = Assert.Single(several.Findings, finding => finding.Key == Profile + ":EndpointRoleArn");
        Assert.Equal(Severity.Warning, finding.Severity);
        Assert.Contains("Write {accountId}", finding.Message, StringComparison.Ordinal);
        Assert.Equal(Severity.Error, Assert.Single(other.Findings, finding => finding.Key == Profile + ":EndpointRoleArn").Severity);
        Assert.DoesNotContain(same.Findings, finding => finding.Key == Profile + ":EndpointRoleArn");
    }

    [Theory]
    [InlineData("[]", true)]
    [InlineData("[\"eu-west-1\", \"us-east-1\"]", true)]
    [InlineData("[\"us-east-1\"]", false)]
    public void The_endpoint_of_the_only_account_is_in_a_region_that_a_response_may_name(string regions, bool isFine)
    {
        Set("arn:aws:iam::{accountId}:role/iot", null, regions);
        _configuration.Set(Directory + ":AllowedAccounts", "[\"111122223333\"]");
        _configuration.Set(Profile + ":IotEndpoint", "\"abc-ats.iot.eu-west-1.amazonaws.com\"");

        var loaded = _configuration.Load();

        Assert.Equal(isFine, loaded.Snapshot is not null);
        Assert.Equal(isFine ? 0 : 1, loaded.Findings.Count(finding => finding.Key == Profile + ":IotEndpoint"));
    }

    [Fact]
    public void Without_a_directory_account_and_region_must_be_written()
    {
        _configuration.Set(Directory, null);

        var errors = _configuration.Load().Findings.Where(finding => finding.Severity == Severity.Error).ToArray();

        Assert.Contains(errors, finding => finding.Key == Profile + ":RoleArn" && finding.Message.Contains(Directory, StringComparison.Ordinal));
        Assert.Contains(errors, finding => finding.Key == Profile + ":Region" && finding.Message.Contains(Directory, StringComparison.Ordinal));
    }

    private void Set(string role, string? endpointRole, string regions)
    {
        _configuration.Set(Profile + ":RoleArn", $"\"{role}\"");
        _configuration.Set(Profile + ":EndpointRoleArn", endpointRole is null ? "null" : $"\"{endpointRole}\"");
        _configuration.Set(Directory + ":AllowedRegions", regions);
    }
}
