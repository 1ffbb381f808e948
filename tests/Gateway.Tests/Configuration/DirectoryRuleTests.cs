using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class DirectoryRuleTests : IDisposable
{
    private const string Directory = "IotCredentials:Directory";
    private const string Profile = "IotCredentials:Profiles:default";

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
    [InlineData(":Address", "\"/organizations/{organizationId}\"", "no absolute http or https")]
    [InlineData(":Address", "\"ftp://a.example.com/{organizationId}\"", "no absolute http or https")]
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
    [InlineData(":AllowedAccounts", "null", "is missing")]
    [InlineData(":AllowedAccounts", "[]", "is missing")]
    [InlineData(":AllowedAccounts:1", "\"44445555666\"", "12 digits")]
    [InlineData(":AllowedAccounts:1", "\"*\"", "12 digits")]
    [InlineData(":AllowedRegions", "[\"Ireland\"]", "no AWS region")]
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

    [Fact]
    public void Without_a_directory_account_and_region_must_be_written()
    {
        _configuration.Set(Directory, null);

        var errors = _configuration.Load().Findings.Where(finding => finding.Severity == Severity.Error).ToArray();

        Assert.Contains(errors, finding => finding.Key == Profile + ":RoleArn" && finding.Message.Contains(Directory, StringComparison.Ordinal));
        Assert.Contains(errors, finding => finding.Key == Profile + ":Region" && finding.Message.Contains(Directory, StringComparison.Ordinal));
    }
}
