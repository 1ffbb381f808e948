using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A profile, with and without an organization's overlay, is in one partition, one region and one account.</summary>
public sealed class AwsPlaceTests : IDisposable
{
    private const string Profile = "IotCredentials:Profiles:default";
    private const string Organization = "IotCredentials:Organizations:o-dedicated";

    private const string Here = "iot:{region}:{accountId}";

    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData(
        "D7 a profile's endpoint in another region", Profile, """{ "IotEndpoint": "abc-ats.iot.eu-west-1.amazonaws.com" }""", Profile + ":IotEndpoint",
        "is in the region eu-west-1, and Region is ap-northeast-1")]
    [InlineData(
        "D7 in capitals, with the root's dot", Profile, """{ "IotEndpoint": "ABC-ATS.iot.EU-WEST-1.amazonaws.com." }""",
        Profile + ":IotEndpoint", "is in the region eu-west-1")]
    [InlineData(
        "D7 an overlay that changes the region alone", Organization, """{ "Region": "us-east-1", "IotEndpoint": "abc-ats.iot.eu-west-1.amazonaws.com" }""",
        Organization + ":IotEndpoint", "(over profile default) is in the region eu-west-1, and Region is us-east-1")]
    [InlineData(
        "D7 an endpoint of another partition", Profile, """{ "IotEndpoint": "abc.ats.iot.cn-north-1.amazonaws.com.cn" }""", Profile + ":IotEndpoint",
        "is of another partition than the region ap-northeast-1, whose hosts end in amazonaws.com")]
    [InlineData(
        "D7 the partition's domain and another's region",
        Profile,
        """{ "Region": "cn-north-1", "RoleArn": "arn:aws-cn:iam::111122223333:role/r", "IotEndpoint": "abc-ats.iot.cn-north-1.amazonaws.com" }""",
        Profile + ":IotEndpoint",
        "whose hosts end in amazonaws.com.cn")]
    [InlineData(
        "D7 GovCloud's endpoint", Profile, """{ "IotEndpoint": "abc-ats.iot.us-gov-west-1.amazonaws.com" }""",
        Profile + ":IotEndpoint", "is in the region us-gov-west-1")]
    [InlineData(
        "D7 an interface endpoint elsewhere", Profile, """{ "IotEndpoint": "vpce-0123.data.iot.eu-west-1.vpce.amazonaws.com" }""",
        Profile + ":IotEndpoint", "is in the region eu-west-1")]
    [InlineData(
        "D7 a FIPS endpoint elsewhere", Profile, """{ "IotEndpoint": "data.iot-fips.us-east-2.amazonaws.com" }""",
        Profile + ":IotEndpoint", "is in the region us-east-2")]
    [InlineData(
        "D7 a dual-stack endpoint elsewhere", Profile, """{ "IotEndpoint": "abc-ats.iot.us-east-2.api.aws" }""",
        Profile + ":IotEndpoint", "is in the region us-east-2")]
    [InlineData("D7 the control plane", Profile, """{ "IotEndpoint": "iot.ap-northeast-1.amazonaws.com" }""", Profile + ":IotEndpoint", "is no data endpoint")]
    [InlineData(
        "D7 the credential provider", Profile, """{ "IotEndpoint": "abc.credentials.iot.ap-northeast-1.amazonaws.com" }""",
        Profile + ":IotEndpoint", "is no data endpoint")]
    [InlineData(
        "D7 the jobs endpoint", Profile, """{ "IotEndpoint": "abc.jobs.iot.ap-northeast-1.amazonaws.com" }""", Profile + ":IotEndpoint", "is no data endpoint")]
    [InlineData(
        "D7 China's role in Ireland", Profile, """{ "Region": "eu-west-1", "RoleArn": "arn:aws-cn:iam::111122223333:role/r" }""", Profile + ":RoleArn",
        "is of the partition aws-cn, and the region eu-west-1 is of aws")]
    [InlineData(
        "D7 a role in GovCloud's region", Profile, """{ "Region": "us-gov-west-1" }""", Profile + ":RoleArn",
        "is of the partition aws, and the region us-gov-west-1 is of aws-us-gov")]
    [InlineData(
        "D7 GovCloud's role outside", Profile, """{ "RoleArn": "arn:aws-us-gov:iam::111122223333:role/r" }""",
        Profile + ":RoleArn", "is of the partition aws-us-gov")]
    [InlineData("D7 a region that is new", Profile, """{ "Region": "cn-southeast-7" }""", Profile + ":RoleArn", "the region cn-southeast-7 is of aws-cn")]
    [InlineData(
        "D7 the European Sovereign Cloud", Profile, """{ "Region": "eusc-de-east-1" }""", Profile + ":RoleArn", "the region eusc-de-east-1 is of aws-eusc")]
    [InlineData(
        "D7 a role of the European Sovereign Cloud", Profile, """{ "RoleArn": "arn:aws-eusc:iam::111122223333:role/r" }""", Profile + ":RoleArn",
        "is of the partition aws-eusc, and the region ap-northeast-1 is of aws")]
    [InlineData(
        "D7 a role of an isolated partition", Profile, """{ "Region": "us-iso-east-1", "RoleArn": "arn:aws-iso-b:iam::111122223333:role/r" }""",
        Profile + ":RoleArn", "is of the partition aws-iso-b, and the region us-iso-east-1 is of aws-iso")]
    [InlineData("D7 no partition", Profile, """{ "RoleArn": "arn:aws-nope:iam::111122223333:role/r" }""", Profile + ":RoleArn", "one of aws, aws-cn, ")]
    [InlineData("D7 a FIPS endpoint's name for a region", Profile, """{ "Region": "fips-us-east-1" }""", Profile + ":Region", "is not an AWS region")]
    [InlineData(
        "D7 an overlay's role", Organization, """{ "RoleArn": "arn:aws-cn:iam::444455556666:role/iot" }""", Organization + ":RoleArn",
        "(over profile default) is of the partition aws-cn")]
    [InlineData(
        "D7 an endpoint role of another partition", Profile, """{ "EndpointRoleArn": "arn:aws-cn:iam::111122223333:role/e" }""",
        Profile + ":EndpointRoleArn", "is of the partition aws-cn")]
    [InlineData(
        "D7 an endpoint role of another account", Profile, """{ "EndpointRoleArn": "arn:aws:iam::999900001111:role/e" }""", Profile + ":EndpointRoleArn",
        "is of the account 999900001111, and RoleArn of 111122223333")]
    public void D7_what_contradicts_is_an_error(string name, string section, string json, string key, string message)
    {
        var findings = Overlay(_configuration, section, json).Load().Findings;

        Assert.True(findings.Count == 1, $"{name}: {string.Join('\n', findings)}");
        Assert.Equal((Severity.Error, key), (findings[0].Severity, findings[0].Key));
        Assert.Contains(message, findings[0].Message, StringComparison.Ordinal);
    }

    /// <summary>A session policy that writes its partition out, in each of the others.</summary>
    [Theory]
    [InlineData("aws", "cn-north-1", "aws-cn")]
    [InlineData("aws", "us-gov-west-1", "aws-us-gov")]
    [InlineData("aws-cn", "us-isof-east-1", "aws-iso-f")]
    [InlineData("aws-us-gov", "ap-southeast-5", "aws")]
    [InlineData("aws-iso", "eusc-de-east-1", "aws-eusc")]
    public void A_session_policy_of_another_partition_is_an_error(string written, string region, string partition)
    {
        WritePolicy(written);
        Overlay(_configuration, Profile, $$"""{ "Region": "{{region}}", "RoleArn": "arn:{{partition}}:iam::111122223333:role/r" }""");

        var finding = Assert.Single(_configuration.Load().Findings);

        Assert.Equal((Severity.Error, Profile + ":SessionPolicy"), (finding.Severity, finding.Key));
        Assert.Contains($"has an ARN of the partition {written}, and the region {region} is of {partition}", finding.Message, StringComparison.Ordinal);
        WritePolicy(partition);
        Assert.Empty(_configuration.Load().Findings);

        void WritePolicy(string name) => _configuration.Write("policies/organization.json", $$"""
            { "Version": "2012-10-17", "Statement": [
              { "Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:{{name}}:iot:{region}:{accountId}:client/{organizationId}" } ] }
            """);
    }

    /// <summary>Literals in the ARNs of a session policy, for a role of 111122223333 in ap-northeast-1.</summary>
    [Theory]
    [InlineData(Here, Here)]
    [InlineData("iot:ap-northeast-1:111122223333", Here)]
    [InlineData(Here, "iot:ap-northeast-1:999900001111", "of the account 999900001111, and RoleArn is of 111122223333", "{accountId} in Statement[1].Resource")]
    [InlineData("iot:eu-west-1:999900001111", Here, "of the account 999900001111", "Statement[0].Resource[0]")]
    [InlineData("iot:eu-west-1:{accountId}", "iot:us-east-1:111122223333", "of the region eu-west-1, and Region is ap-northeast-1", "Statement[0].Resource[0]")]
    [InlineData(Here, "iot:eu-west-1:{accountId}", "{region} in Statement[1].Resource, unless they connect to both")]
    public void A_session_policy_of_another_account_or_region_is_a_warning(string connect, string publish, params string[] words)
    {
        _configuration.Set(Organization, null);
        _configuration.Write("policies/organization.json", $$"""
            { "Version": "2012-10-17", "Statement": [
              { "Effect": "Allow", "Action": "iot:Connect", "Resource": ["arn:{partition}:{{connect}}:client/{organizationId}"] },
              { "Effect": "Allow", "Action": "iot:Publish", "Resource": "arn:{partition}:{{publish}}:topic/{organizationId}/*" } ] }
            """);

        var findings = _configuration.Load().Findings;

        Assert.Equal(words.Length == 0 ? [] : [(Severity.Warning, Profile + ":SessionPolicy")], findings.Select(finding => (finding.Severity, finding.Key)));
        Assert.All(words, word => Assert.Contains(word, findings[0].Message, StringComparison.Ordinal));
    }

    /// <summary>The ARNs of a Deny, which IAM reads alike, for a role of 111122223333 in ap-northeast-1.</summary>
    [Theory]
    [InlineData("Resource", "arn:aws-cn:iot:*:*:topic/x", Severity.Error, "of the partition aws-cn", "{partition} in Statement[1].Resource[0]")]
    [InlineData("Resource", "* arn:aws-us-gov:s3:::b", Severity.Error, "of the partition aws-us-gov", "Statement[1].Resource[1]")]
    [InlineData("NotResource", "arn:aws-cn:iot:*", Severity.Error, "of the partition aws-cn", "Statement[1].NotResource[0]")]
    [InlineData("Resource", "arn:aws:iot:eu-west-1:*:topic/x", Severity.Warning, "of the region eu-west-1", "denies nothing")]
    [InlineData("Resource", "* arn:aws:iot:*:999900001111:*", Severity.Warning, "of the account 999900001111", "denies nothing")]
    [InlineData("Resource", "* arn:*:iot:* arn:aws:s3:::b arn:{partition}:iot:ap-*:1111????????:*", null)]
    [InlineData("NotResource", "arn:aws:iot:eu-west-1:999900001111:topic/x", null)]
    public void A_Deny_of_another_place_is_found(string member, string resources, Severity? severity, params string[] words)
    {
        _configuration.Set(Organization, null);
        _configuration.Write("policies/organization.json", $$"""
            { "Version": "2012-10-17", "Statement": [
              { "Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:{partition}:iot:{region}:{accountId}:client/{organizationId}" },
              { "Effect": "Deny", "Action": "*", "{{member}}": ["{{resources.Replace(" ", "\", \"", StringComparison.Ordinal)}}"] } ] }
            """);

        var findings = _configuration.Load().Findings;

        Assert.Equal(severity is null ? [] : [(severity, Profile + ":SessionPolicy")], findings.Select(finding => ((Severity?)finding.Severity, finding.Key)));
        Assert.All(words, word => Assert.Contains(word, findings[0].Message, StringComparison.Ordinal));
    }

    /// <summary>An organization's entry without a session policy of its own does not repeat what its profile's policy is warned of.</summary>
    [Theory]
    [InlineData("""{ "RefreshAfter": "00:10:00" }""", Profile)]
    [InlineData("""{ "SessionPolicy": "policies/organization.json" }""", Organization, Profile)]
    public void A_warning_about_a_session_policy_is_given_where_it_is_named(string entry, params string[] sections)
    {
        Overlay(_configuration, Organization, entry);
        _configuration.Write("policies/organization.json", """
            { "Version": "2012-10-17", "Statement": [
              { "Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:{partition}:iot:{region}:{accountId}:client/{organizationId}" },
              { "Effect": "Deny", "Action": "iot:Conect", "Resource": "*" } ] }
            """);

        var findings = _configuration.Load().Findings;

        Assert.Equal(sections.Select(section => (Severity.Warning, $"{section}:SessionPolicy")), findings.Select(finding => (finding.Severity, finding.Key)));
        Assert.All(findings, finding => Assert.Contains("policies/organization.json: Inert: ", finding.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("D7 the same region", Profile, """{ "IotEndpoint": "abc-ats.iot.ap-northeast-1.amazonaws.com" }""")]
    [InlineData("D7 an older endpoint", Profile, """{ "IotEndpoint": "abc.iot.ap-northeast-1.amazonaws.com" }""")]
    [InlineData("D7 a domain of the operator's own", Profile, """{ "IotEndpoint": "iot.eu-west-1.example.com" }""")]
    [InlineData("D7 a domain that only ends alike", Profile, """{ "IotEndpoint": "abc.iot.eu-west-1.notamazonaws.com" }""")]
    [InlineData("D7 an interface endpoint", Profile, """{ "IotEndpoint": "vpce-0123.data.iot.ap-northeast-1.vpce.amazonaws.com" }""")]
    [InlineData("D7 FIPS", Profile, """{ "Region": "us-east-2", "IotEndpoint": "data.iot-fips.us-east-2.amazonaws.com" }""")]
    [InlineData("D7 dual stack", Profile, """{ "IotEndpoint": "abc-ats.iot.ap-northeast-1.api.aws" }""")]
    [InlineData(
        "D7 China", Profile,
        """{ "Region": "cn-north-1", "RoleArn": "arn:aws-cn:iam::111122223333:role/r", "IotEndpoint": "abc.ats.iot.cn-north-1.amazonaws.com.cn" }""")]
    [InlineData(
        "D7 GovCloud", Profile,
        """{ "Region": "us-gov-west-1", "RoleArn": "arn:aws-us-gov:iam::111122223333:role/r", "IotEndpoint": "abc-ats.iot.us-gov-west-1.amazonaws.com" }""")]
    [InlineData(
        "D7 the European Sovereign Cloud's", Profile,
        """{ "Region": "eusc-de-east-1", "RoleArn": "arn:aws-eusc:iam::111122223333:role/r", "IotEndpoint": "abc-ats.iot.eusc-de-east-1.amazonaws.eu" }""")]
    [InlineData("D7 an isolated partition", Profile, """{ "Region": "us-iso-west-1", "RoleArn": "arn:aws-iso:iam::111122223333:role/r" }""")]
    [InlineData(
        "D7 an endpoint role that nobody asks", Profile,
        """{ "EndpointRoleArn": "arn:aws:iam::999900001111:role/e", "IotEndpoint": "abc-ats.iot.ap-northeast-1.amazonaws.com" }""")]
    [InlineData("D7 an endpoint role", Profile, """{ "EndpointRoleArn": "arn:aws:iam::111122223333:role/e" }""")]
    public void D7_what_fits_is_taken(string name, string section, string json)
    {
        var findings = Overlay(_configuration, section, json).Load().Findings;

        Assert.True(findings.Count == 0, $"{name}: {string.Join('\n', findings)}");
    }

    [Theory]
    [InlineData("D7 another account", "abc-ats.iot.ap-northeast-1.amazonaws.com", """{ "RoleArn": "arn:aws:iam::444455556666:role/r" }""",
        "(over profile default) is the profile's, of the account 111122223333, and RoleArn is of 444455556666")]
    [InlineData("D7 another account, a domain of the operator's own", "iot.example.com", """{ "RoleArn": "arn:aws:iam::444455556666:role/r" }""",
        "of the account 111122223333, and RoleArn is of 444455556666")]
    [InlineData("D7 another region, a domain of the operator's own", "iot.example.com", """{ "Region": "eu-west-1" }""",
        "(over profile default) is the profile's, of the region ap-northeast-1, and Region is eu-west-1")]
    [InlineData("D7 both", "iot.example.com", """{ "RoleArn": "arn:aws:iam::444455556666:role/r", "Region": "eu-west-1" }""", "whose sessions do not reach it")]
    [InlineData("D7 another role", "iot.example.com", """{ "RoleArn": "arn:aws:iam::111122223333:role/other" }""", null)]
    [InlineData("D7 its own", "iot.example.com", """{ "RoleArn": "arn:aws:iam::444455556666:role/r", "IotEndpoint": "iot.example.org" }""", null)]
    [InlineData("D7 asked for", "iot.example.com", """{ "Region": "eu-west-1", "IotEndpoint": null }""", null)]
    [InlineData("D7 the profile's is asked for", null, """{ "RoleArn": "arn:aws:iam::444455556666:role/r", "Region": "eu-west-1" }""", null)]
    public void D7_an_entry_that_takes_the_profiles_endpoint_into_another_account_or_region_is_a_warning(
        string name, string? endpoint, string entry, string? warning)
    {
        if (endpoint is not null) _configuration.Set(Profile + ":IotEndpoint", $"\"{endpoint}\"");
        var findings = _configuration.Set(Organization, entry).Load().Findings;

        Assert.Equal((name, warning is null ? 0 : 1), (name, findings.Count));
        Assert.All(findings, finding =>
        {
            Assert.Equal((Severity.Warning, Organization + ":IotEndpoint"), (finding.Severity, finding.Key));
            Assert.Contains(warning!, finding.Message, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData(
        "D10 an external id of each organization", """{ "EndpointRoleArn": "arn:aws:iam::111122223333:role/e", "ExternalId": "x-{organizationId}" }""", true)]
    [InlineData("D10 an external id of the account", """{ "EndpointRoleArn": "arn:aws:iam::111122223333:role/e", "ExternalId": "account-1" }""", false)]
    [InlineData(
        "D10 an endpoint that is named",
        """{ "EndpointRoleArn": "arn:aws:iam::111122223333:role/e", "ExternalId": "x-{organizationId}","""
            + """ "IotEndpoint": "abc-ats.iot.ap-northeast-1.amazonaws.com" }""",
        false)]
    public void D10_an_external_id_that_the_endpoints_role_is_not_asked_with_is_a_warning(string name, string json, bool warns)
    {
        var findings = Overlay(_configuration, Profile, json).Load().Findings;

        Assert.Equal((name, warns ? 1 : 0), (name, findings.Count));
        Assert.All(findings, finding =>
        {
            Assert.Equal((Severity.Warning, Profile + ":EndpointRoleArn"), (finding.Severity, finding.Key));
            Assert.Contains("its trust policy must not ask for one", finding.Message, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task D7_a_change_that_contradicts_is_not_used()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set(Profile + ":IotEndpoint", "\"abc-ats.iot.ap-northeast-1.amazonaws.com\""));

        await gateway.ChangeAsync(settings => settings.Set("IotCredentials:Organizations:o-far:Region", "\"eu-west-1\""));

        Assert.True(gateway.IsConfigurationRefused);
        Assert.Equal("ap-northeast-1", (await gateway.VendAsync("o-far")).Data.GetProperty("awsRegion").GetString());
    }

    private static ConfigurationFixture Overlay(ConfigurationFixture configuration, string section, string json)
    {
        // The example's organization is in one place with its profile.
        if (section == Profile) configuration.Set(Organization, null);
        foreach (var (key, value) in JsonNode.Parse(json)!.AsObject()) configuration.Set($"{section}:{key}", value!.ToJsonString());
        return configuration;
    }
}
