using Xunit;

namespace IotCredentials.Tests.Policies;

/// <summary>Two resources, each good by itself. What is said to collide is shown by name; the longest ids are where an off-by-one would sit.</summary>
public sealed class ResourceCollisionRuleTests
{
    private static readonly Dictionary<string, OrganizationIdFormat> s_ids = new(StringComparer.Ordinal)
    {
        ["W"] = Templates.Wide,
        ["O"] = Templates.Prefixed,
        ["Z"] = Templates.Lower,
        ["aa"] = Templates.Format("aa", "a"),
        ["o-"] = Templates.Format("o-", "a-z-"),
        ["ab"] = Templates.Format("", "ab", 1, 1),
    };

    [Theory]
    [InlineData("W", "topic/{organizationId}/*", "topic/organizations/{organizationId}/*", "organizations", "-", "organizations/-/x")]
    [InlineData("W", "topic/organizations/{organizationId}/*", "topic/{organizationId}/*", "organizations", "-", "organizations/-/x")]
    [InlineData("W", "topic/{organizationId}/*", "topicfilter/x/{organizationId}/+/y", "x", "-", "x/-//y")]
    [InlineData("W", "topic/{organizationId}", "topic/a{organizationId}", "a-", "-", "a-")]
    [InlineData("W", "topic/{organizationId}/a", "topic/x/{organizationId}/b", "x", "-", null)]
    [InlineData("W", "topic/{organizationId}", "topicfilter/a{organizationId}/*", "a-", "-", null)]
    [InlineData("W", "client/{organizationId}:*", "client/web:{organizationId}:*", "web", "-", "web:-:")]
    [InlineData("O", "client/{organizationId}-*", "client/o-x-{organizationId}-*", "o-x", "o-0", "o-x-o-0-")]
    [InlineData("W", "thing/{organizationId}:*", "topic/$aws/things/x:{organizationId}/*", "x", "-", "$aws/things/x:-/shadow/x")]
    [InlineData("W", "thing/{organizationId}", "topic/$aws/things/x/shadow/{organizationId}/*", "x", "-", "$aws/things/x/shadow/-/x")]
    [InlineData("W", "topicfilter/$share/g/{organizationId}/*", "topic/t/{organizationId}/*", "t", "-", "t/-/x")]
    [InlineData("W", "topic/$aws/things/{organizationId}/*", "topic/$aws/things/-/{organizationId}/*", "-", "--", "$aws/things/-/--/x")]
    [InlineData("W", "topic/organizations/{organizationId}/*", "topic/$aws/rules/ingest/{organizationId}/*", "organizations", "-", "organizations/-/x")]
    [InlineData("W", "topic/$aws/rules/r/t/{organizationId}/*", "topicfilter/{organizationId}/#", "t", "-", "t/-/x")]
    [InlineData("W", "topic/$aws/rules/r/{organizationId}/*", "topic/$aws/rules/s/t/{organizationId}/*", "t", "-", "t/-/x")]
    [InlineData("W", "topic/$share/g/{organizationId}/*", "topic/t/{organizationId}/*", "t", "-", "t/-/x")]
    [InlineData("aa", "topic/{organizationId}/x", "topic/a{organizationId}/x", "aaaa", "aaa", "aaaa/x")]
    public void Check_HeadsThatMeet_AreShownByTwoOrganizations(
        string ids, string one, string other, string reaching, string reached, string? shared)
    {
        Assert.Null(Templates.Parse(Template(one, other), s_ids[ids], out var findings));
        var finding = Assert.Single(findings);
        Assert.Equal(FindingCode.Collision, finding.Code);
        Assert.Equal(
            (reaching, reached, shared), (finding.Counterexample?.Reaching.Value, finding.Counterexample?.Reached.Value, finding.Counterexample?.Shared));
    }

    [Theory]
    [InlineData("W", "topic/{organizationId}/*", "topic/{organizationId}:*")] // the same head: the id is what both read there
    [InlineData("W", "topic/t/{organizationId}/*", "topic/u/{organizationId}/*")] // neither begins the other
    [InlineData("W", "topic/{organizationId}:*", "topic/x/{organizationId}/*")] // x ends with what closes no id of the first
    [InlineData("W", "topic/{organizationId}", "topic/x/{organizationId}")]
    [InlineData("W", "topic/{organizationId}/*", "topic//{organizationId}/*")] // an id has a character at least
    [InlineData("W", "topic/{organizationId}/*", "topic/a{organizationId}:*")] // the same id, closed in two ways
    [InlineData("O", "topic/{organizationId}/*", "topic/organizations/{organizationId}/*")] // no id begins so
    [InlineData("W", "client/{organizationId}", "topic/x{organizationId}")] // a client id is no topic
    [InlineData("W", "topic/{organizationId}/*", "topic/$aws/rules/r/{organizationId}/*")] // the same head behind the rule's name
    [InlineData("W", "topic/t/{organizationId}/*", "topic/$aws/rules/r/t/{organizationId}/*")]
    [InlineData("W", "topicfilter/$share/g/t/{organizationId}/*", "topic/$share/g/t/{organizationId}/*")]
    [InlineData("Z", "thing/{organizationId}-*", "topic/{organizationId}/*")]
    public void Check_HeadsThatCannotMeet_AreAccepted(string ids, string one, string other) =>
        Assert.Empty(Templates.Codes(Template(one, other), s_ids[ids]));

    [Theory]
    [InlineData(64, "/", true)] // the longest id is the head's first level
    [InlineData(65, "/", false)]
    [InlineData(63, "", true)] // and here it ends with the other's shortest
    [InlineData(64, "", false)]
    public void Check_LongHeads_MeetAsLongAsAnIdReaches(int length, string after, bool meet)
    {
        var codes = Templates.Codes(Template("topic/{organizationId}/*", $"topic/{new string('a', length)}{after}{{organizationId}}/*"), Templates.Wide);
        string[] expected = meet ? [FindingCode.Collision] : [];
        Assert.Equal(expected, codes);
    }

    [Fact]
    public void Check_ThreeResources_AreComparedEachWithEach()
    {
        var codes = Templates.Codes(
            Templates.Allow("iot:Publish", "§topic/{organizationId}/*", "§topic/a/{organizationId}/*", "§topic/a/b/{organizationId}/*"), Templates.Wide);
        Assert.Equal([FindingCode.Collision, FindingCode.Collision, FindingCode.Collision], codes);
    }

    /// <summary>A client resource reaches the topics about its clients. Its client ids, which can look like any topic, are none themselves.</summary>
    [Theory]
    [InlineData("o-", "client/*/:{organizationId}", "topicfilter/$aws/commands/clients/{organizationId}/+", null)]
    [InlineData("ab", "client/*{organizationId}", "topic/$aws/commands/clients/{organizationId}/a", null)]
    [InlineData("W", "client/*/{organizationId}", "topic/$aws/commands/clients/{organizationId}/executions/1/request/-", null)]
    [InlineData("W", "client/*:{organizationId}", "topic/$aws/commands/clients/{organizationId}/*", "$aws/commands/clients/--/:-/executions/x")]
    [InlineData("W", "client/*:{organizationId}", "topicfilter/$aws/commands/clients/{organizationId}/#", "$aws/commands/clients/--/:-/executions/x")]
    [InlineData("W", "client/*:{organizationId}", "topic/$aws/events/presence/connected/{organizationId}:*", "$aws/events/presence/connected/--:-")]
    [InlineData("W", "client/*/{organizationId}", "topicfilter/$aws/events/subscriptions/subscribed/{organizationId}/#",
        "$aws/events/subscriptions/subscribed/--/-")]
    [InlineData("W", "client/{organizationId}", "topic/$aws/events/presence/connect_failed/x{organizationId}", "$aws/events/presence/connect_failed/x-")]
    [InlineData("W", "client/{organizationId}", "topicfilter/$aws/commands/clients/x{organizationId}/executions/+/request",
        "$aws/commands/clients/x-/executions//request")]
    [InlineData("W", "thing/{organizationId}", "topicfilter/$aws/things/x{organizationId}/jobs/+", null)]
    [InlineData("W", "thing/{organizationId}", "topic/$aws/commands/things/x{organizationId}/executions/*", null)]
    public void Check_ResourceAndTopicsAboutItsOwner_AreShownByATopicThatBothReach(string ids, string owner, string topic, string? shared)
    {
        Assert.Null(Templates.Parse(Template(owner, topic), s_ids[ids], out var findings));

        var finding = Assert.Single(findings);
        var example = finding.Counterexample;
        Assert.Equal((FindingCode.Collision, shared), (finding.Code, example?.Shared));
        if (shared is null)
            return;
        Assert.Contains(
            $"organization `{example!.Reaching}` could connect as the client behind `{shared}`, which is organization `{example.Reached}`'s.",
            finding.Message, StringComparison.Ordinal);
        Assert.True(Reaches(example.ReachingResource, example.Reaching) && Reaches(example.ReachedResource, example.Reached), finding.Message);

        bool Reaches(string resource, OrganizationId id) =>
            Reach.Reaches(Reach.Resource.OfArn(resource.Replace("{organizationId}", id.Value, StringComparison.Ordinal)), shared);
    }

    /// <summary>Each remedy is one: the resources of the second pair are those of the first, changed as the message says.</summary>
    [Theory]
    [InlineData("client/*:{organizationId}", "topic/$aws/events/presence/connected/{organizationId}:*",
        "Begin the client's id in both with literals of which neither begins the other.",
        "client/a/*:{organizationId}", "topic/$aws/events/presence/connected/b/{organizationId}:*")]
    [InlineData("client/{organizationId}", "topic/$aws/events/presence/connected/x{organizationId}",
        "Give both the same text before {organizationId} in the client's id, or texts of which neither begins the other.",
        "client/x{organizationId}", "topic/$aws/events/presence/connected/x{organizationId}")]
    [InlineData("thing/{organizationId}", "topic/$aws/commands/things/x{organizationId}/executions/*",
        "Give both the same text before {organizationId} in the thing's name, or texts of which neither begins the other.",
        "thing/x{organizationId}", "topic/$aws/commands/things/x{organizationId}/executions/*")]
    [InlineData("topic/s/*/{organizationId}", "topic/s/{organizationId}/*",
        "Begin them with literals of which neither begins the other, or write the same literals, or nothing, behind {organizationId} in both.",
        "topic/s/*/{organizationId}/x", "topic/s/{organizationId}/x")]
    [InlineData("topic/s/*/{organizationId}", "topic/s/x{organizationId}/*", "Begin them with literals of which neither begins the other.",
        "topic/s/*/{organizationId}", "topic/t/x{organizationId}/*")]
    public void Check_ResourcesThatMeet_AreAcceptedWithTheRemedy(string one, string other, string remedy, string oneMended, string otherMended)
    {
        Assert.Null(Templates.Parse(Template(one, other), Templates.Wide, out var findings));

        Assert.EndsWith(remedy, Assert.Single(findings).Message, StringComparison.Ordinal);
        Assert.Empty(Templates.Codes(Template(oneMended, otherMended), Templates.Wide));
    }

    private static string Template(params string[] resources) => Templates.Document([.. resources.Select(resource =>
    {
        var action = resource.Split('/')[0] switch { "client" => "Connect", "topic" => "Receive", "topicfilter" => "Subscribe", _ => "GetThingShadow" };
        return $$"""{"Effect":"Allow","Action":"iot:{{action}}","Resource":"§{{resource}}"}""";
    })]);
}
