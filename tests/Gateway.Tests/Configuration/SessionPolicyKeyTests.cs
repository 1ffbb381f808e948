using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>The keys that session policies depend on: the length of ids, and the topics that all receive.</summary>
public sealed class SessionPolicyKeyTests : IDisposable
{
    private const string Arn = "arn:{partition}:iot:{region}:{accountId}:";
    private const string Policy = "policies/organization.json";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("""{ "Min": 36, "Max": 36 }""")]
    [InlineData("""{ "Max": 20 }""")]
    [InlineData("""{ "Min": 3 }""")]
    public void E1_a_length_is_read(string length)
    {
        _configuration.Set("IotCredentials:OrganizationId:Length", length);
        _configuration.Set("IotCredentials:Organizations", null);

        _configuration.LoadGood();
    }

    [Theory]
    [InlineData("""{ "Min": 0 }""", "IotCredentials:OrganizationId", "IdLength: Length is 0 to 64")]
    [InlineData("""{ "Max": 65 }""", "IotCredentials:OrganizationId", "IdLength: Length is 1 to 65")]
    [InlineData("""{ "Min": 9, "Max": 8 }""", "IotCredentials:OrganizationId", "IdLength: Length is 9 to 8")]
    [InlineData("""{ "Mini": 9 }""", "IotCredentials:OrganizationId:Length:Mini", "Did you mean \"Min\"?")]
    [InlineData("""{ "Max": "many" }""", "IotCredentials:OrganizationId:Length:Max", "\"many\"")]
    public void E1_a_length_that_is_none_is_an_error(string length, string key, string expected)
    {
        _configuration.Set("IotCredentials:OrganizationId:Length", length);

        var finding = _configuration.LoadBad();

        Assert.Equal(key, finding.Key);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void E1_an_organization_that_is_too_long_is_an_error_at_its_key()
    {
        _configuration.Set("IotCredentials:OrganizationId:Length", """{ "Max": 10 }""");

        Assert.Equal("IotCredentials:Organizations:o-dedicated", _configuration.LoadBad().Key);
    }

    [Fact]
    public void E2_a_session_policy_for_ids_of_one_length_is_read()
    {
        _configuration.Write(Policy, ConfigurationFixture.Policy.Replace("{organizationId}:*", "{organizationId}-*", StringComparison.Ordinal));
        _configuration.Set("IotCredentials:Organizations", null);

        Assert.Contains("NotClosed", _configuration.LoadBad().Message, StringComparison.Ordinal);
        _configuration.Set("IotCredentials:OrganizationId:Length", """{ "Min": 36, "Max": 36 }""");
        _configuration.LoadGood();
    }

    [Fact]
    public void E6_a_shared_topic_is_read_where_it_is_listed()
    {
        WriteBroadcast();
        Assert.All(_configuration.Load().Findings, finding => Assert.Contains("SharedTopics", finding.Message, StringComparison.Ordinal));

        _configuration.Set("IotCredentials:Profiles:default:SharedTopics", $"""["{Arn}topicfilter/broadcast"]""");
        Assert.Equal([$"{Arn}topicfilter/broadcast"], _configuration.LoadGood().Options.IotCredentials.Profiles["default"].SharedTopics);
    }

    [Fact]
    public void E6_an_organizations_list_replaces_its_profiles()
    {
        WriteBroadcast();
        _configuration.Set("IotCredentials:Profiles:default:SharedTopics", $"""["{Arn}topicfilter/broadcast"]""");
        _configuration.Set("IotCredentials:Organizations:o-dedicated:SharedTopics", $"""["{Arn}topic/other"]""");

        var finding = _configuration.LoadBad();

        Assert.Equal("IotCredentials:Organizations:o-dedicated:SessionPolicy", finding.Key);
        Assert.Contains("NoOrganization", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void E6_an_organizations_empty_list_shares_nothing()
    {
        WriteBroadcast();
        _configuration.Set("IotCredentials:Profiles:default:SharedTopics", $"""["{Arn}topicfilter/broadcast"]""");
        _configuration.Set("IotCredentials:Organizations:o-dedicated:SharedTopics", "[]");

        Assert.Equal("IotCredentials:Organizations:o-dedicated:SessionPolicy", _configuration.LoadBad().Key);
    }

    [Fact]
    public void E6_an_entry_that_is_no_shared_topic_is_an_error_at_its_place()
    {
        _configuration.Set("IotCredentials:Organizations", null);
        _configuration.Set("IotCredentials:Profiles:default:SharedTopics", $"""["{Arn}topic/all/*", "topic/announcements"]""");

        var finding = _configuration.LoadBad();

        Assert.Equal("IotCredentials:Profiles:default:SharedTopics:1", finding.Key);
        Assert.Contains("ArnShape: is not of the shape", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    public async Task E6_check_lists_shared_topics_with_the_route(string format)
    {
        await using var world = await World.StartAsync();
        using var folder = world.Folder(settings => settings
            .Set("IotCredentials:Profiles:default:SharedTopics", $"""["{Arn}topic/announcements/*"]""")
            .Set("IotCredentials:Organizations:o-dedicated:SharedTopics", $"""["{Arn}topic/news"]"""));

        var check = await Commands.CommandResult.RunAsync(["check", "--config", folder.Path, "--format", format]);

        Assert.True(check.ExitCode == 0, check.Error);
        if (format == "text")
        {
            Assert.Contains(
                $"   shared      every organization receives {Arn}topic/announcements/*, o-dedicated: {Arn}topic/news\n",
                check.Output,
                StringComparison.Ordinal);
            return;
        }

        var target = check.Json.GetProperty("routes")
            .EnumerateArray()
            .Select(route => route.GetProperty("target"))
            .Single(target => target.TryGetProperty("module", out _));
        Assert.Equal(
            [$"{Arn}topic/announcements/*", $"o-dedicated: {Arn}topic/news"],
            target.GetProperty("sharedTopics").EnumerateArray().Select(topic => topic.GetString()!));
    }

    /// <summary>A topic of the profile, one of another session policy, that policy's section and place, and whether the two meet.</summary>
    [Theory]
    [InlineData("organizations/{organizationId}/*", "{organizationId}/*", "Profiles:other", "{}", "organization `organizations` could publish to")]
    [InlineData("{organizationId}/*", "organizations/{organizationId}/*", "Organizations:o-own", "{}", "organization `organizations` could publish to")]
    [InlineData("dt/{organizationId}/*", "dt/*/{organizationId}", "Profiles:other", "{}", "meet: ")]
    [InlineData("t/{organizationId}/*", "announcements/{organizationId}/*", "Profiles:other", "{}", "and the shared topic")]
    [InlineData("t/{organizationId}/*", "t/{organizationId}:x", "Profiles:other", "{}", null)]
    [InlineData("a/{organizationId}/*", "b/{organizationId}/*", "Organizations:o-own", "{}", null)]
    [InlineData("organizations/{organizationId}/*", "{organizationId}/*", "Profiles:other", """{ "RoleArn": "arn:aws:iam::444455556666:role/iot" }""", null)]
    [InlineData("organizations/{organizationId}/*", "{organizationId}/*", "Organizations:o-own", """{ "Region": "eu-west-1" }""", null)]
    public void Session_policies_that_meet_are_a_warning(string topic, string other, string section, string place, string? words)
    {
        const string Shared = $"{Arn}topic/announcements/*";
        _configuration.Set("IotCredentials:Organizations", null);
        var isShared = words?.Contains("shared topic", StringComparison.Ordinal) == true;
        if (isShared) _configuration.Set("IotCredentials:Profiles:default:SharedTopics", $"""["{Shared}"]""");
        _configuration.Write(Policy, Publish(topic, isShared ? $$""", { "Effect": "Allow", "Action": "iot:Receive", "Resource": "{{Shared}}" }""" : ""));
        _configuration.Write("policies/other.json", Publish(other, ""));
        _configuration.Set($"IotCredentials:{section}",
            """{ "RoleArn": "arn:aws:iam::111122223333:role/iot", "Region": "ap-northeast-1", "SessionPolicy": "policies/other.json", "SharedTopics": [] }""");
        foreach (var (key, value) in JsonNode.Parse(place)!.AsObject()) _configuration.Set($"IotCredentials:{section}:{key}", value!.ToJsonString());

        var findings = _configuration.Load().Findings;

        Assert.Equal(words is null ? [] : [(Severity.Warning, "IotCredentials:Profiles")], findings.Select(finding => (finding.Severity, finding.Key)));
        Assert.All(findings, finding =>
        {
            Assert.Contains(words!, finding.Message, StringComparison.Ordinal);
            Assert.Contains(section, finding.Message, StringComparison.Ordinal);
        });

        static string Publish(string topic, string more) => $$"""
            { "Version": "2012-10-17", "Statement": [
              { "Effect": "Allow", "Action": "iot:Publish", "Resource": "{{Arn}}topic/{{topic}}" }{{more}} ] }
            """;
    }

    /// <summary>Each organization has a session policy of its own, and the last one's meets the first one's. Of many, only the first are compared.</summary>
    [Theory]
    [InlineData(20, true)]
    [InlineData(1000, false)]
    public void The_work_of_comparing_session_policies_is_bounded(int count, bool found)
    {
        var organizations = new JsonObject();
        for (var i = 0; i < count; i++) Add($"o-{i:d4}", $"p{i}/{{organizationId}}/*");
        Add("o-last", "p0/x/{organizationId}/*");
        _configuration.Set("IotCredentials:Organizations", organizations.ToJsonString());

        Assert.Equal(found ? 1 : 0, _configuration.Load().Findings.Count(finding => finding.Key == "IotCredentials:Profiles"));

        void Add(string organization, string topic)
        {
            _configuration.Write($"policies/{organization}.json", $$"""
                { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "iot:Publish", "Resource": "{{Arn}}topic/{{topic}}" }] }
                """);
            organizations[organization] = new JsonObject { ["SessionPolicy"] = $"policies/{organization}.json" };
        }
    }

    private void WriteBroadcast() => _configuration.Write(Policy, $$"""
        {
          "Version": "2012-10-17",
          "Statement": [{ "Effect": "Allow", "Action": "iot:Subscribe",
            "Resource": ["{{Arn}}topicfilter/{organizationId}/messages", "{{Arn}}topicfilter/broadcast"] }]
        }
        """);
}
