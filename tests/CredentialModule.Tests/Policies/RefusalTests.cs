using System.Reflection;
using IotCredentials.Policies;
using Xunit;

namespace IotCredentials.Tests.Policies;

/// <summary>
/// Every refusal has a template that the evaluator shows to be unsafe, as it would have been sent; or a reason why it is refused although no two
/// organizations meet.
/// </summary>
public sealed class RefusalTests
{
    private const string Good = """{"Effect":"Allow","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*"}""";

    /// <summary>Code, ids, template, two organizations that meet, and what they share by agreement.</summary>
    public static TheoryData<string, string, string, string, string, string> Unsafe => new()
    {
        // IAM puts something else in the variable's place: what that is, no one knows. Here it is the end of another's topic.
        { FindingCode.PolicyVariable, "W", Allow("iot:Receive", "§topic/${x}"), "a", "b", "" },
        { FindingCode.NoOrganization, "W", Allow("iot:Receive", "§topic/broadcast/*"), "a", "b", "" },
        { FindingCode.NoOrganization, "W", Allow("iot:GetThingShadow", "§thing/hub"), "a", "b", "" },
        { FindingCode.NotClosed, "W", Allow("iot:Publish", "§topic/t/{organizationId}*"), "a", "aa", "" },
        { FindingCode.NotClosed, "W", Allow("iot:Connect", "§client/{organizationId}-*"), "a", "a-b", "" },
        { FindingCode.NotClosed, "two lengths", Allow("iot:Connect", "§client/{organizationId}-*"), "aa", "aa-", "" },
        { FindingCode.WildcardBeforeOrganization, "W", Allow("iot:Publish", "§topic/*/{organizationId}/*"), "a", "b", "" },
        { FindingCode.WildcardBeforeOrganization, "W", Allow("iot:Publish", "§topic/status/*{organizationId}"), "a", "aa", "" },
        // An organization with the name of a topic of AWS reads it of every thing.
        {
            FindingCode.WildcardBeforeOrganization, "W",
            Allow("iot:Receive", "§topic/*/{organizationId}", "§topic/$aws/things/{organizationId}:*/jobs/*"), "notify", "b", ""
        },
        { FindingCode.WildcardBeforeOrganization, "W", Allow("iot:Subscribe", "§topicfilter/$share/*/t/{organizationId}/*"), "a", "b", "" },
        { FindingCode.WildcardBeforeOrganization, "W", Allow("iot:GetThingShadow", "§thing/x*:{organizationId}", "§thing/x{organizationId}:*"), "a", "b", "" },
        { FindingCode.OrganizationIsShareGroup, "W", Allow("iot:Subscribe", "§topicfilter/$share/{organizationId}/*"), "a", "b", "" },
        { FindingCode.Collision, "W", Allow("iot:Receive", "§topic/{organizationId}/*", "§topic/organizations/{organizationId}/*"), "organizations", "b", "" },
        { FindingCode.Collision, "two", Allow("iot:Receive", "§topic/{organizationId}*", "§topic/ab/{organizationId}/*"), "ab", "ba", "" },
        { FindingCode.Collision, "W", Allow("iot:Receive", "§topic/s/*/{organizationId}", "§topic/s/*/{organizationId}/cmd"), "cmd", "b", "" },
        {
            FindingCode.Collision, "W",
            Allow("iot:Receive", "§topic/$aws/things/{organizationId}:*", "§topic/$aws/commands/things/x:{organizationId}/*"), "x", "b", ""
        },
        {
            FindingCode.ReservedTopic, "W",
            Allow("iot:Receive", "§topic/$aws/commands/things/hub/executions/{organizationId}/*", "§topic/$aws/events/thing/hub/{organizationId}"), "a", "b", ""
        },
        { FindingCode.SharedTopicOverlap, "W", Allow("iot:Receive", "§topic/{organizationId}/*", "§topic/news/*"), "news", "b", "news/*" },
        // What one publishes there, all receive as everyone's.
        { FindingCode.SharedTopicPublished, "W", Allow("iot:Publish", "§topic/news/*"), "a", "b", "" },
    };

    [Theory]
    [MemberData(nameof(Unsafe))]
    public void An_unsafe_template_is_refused(string code, string ids, string text, string one, string other, string shared)
    {
        var form = Ids(ids);
        string[] topics = shared.Length > 0 ? [$"§topic/{shared}"] : code == FindingCode.SharedTopicPublished ? ["§topic/news/*"] : [];
        Assert.Contains(code, Templates.Codes(text, form, topics));
        Assert.True(form.TryParse(one, out _) && form.TryParse(other, out _));
        // A shared topic belongs to no organization, and must not be another's.
        var mine = Rendered(text, one).Where(resource => resource.Pattern != shared || one == "news").ToList();
        Assert.NotNull(MeetingSearch.Find(mine, Rendered(text, other)));
    }

    [Theory]
    [InlineData(FindingCode.NotInAllow, """{"Effect":"Allow","Action":"iot:Publish","NotResource":"§topic/t/{organizationId}/*"}""")]
    [InlineData(FindingCode.NotInAllow, """{"Effect":"Allow","NotAction":"iot:Connect","Resource":"§topic/t/{organizationId}/*"}""")]
    public void An_exclusion_allows_everything_else(string code, string statement)
    {
        Assert.Contains(code, Templates.Codes(Templates.Document(statement), Templates.Wide));
        // By IAM, all that is not named: the topics of every other organization, or every action on all kinds of resources.
        Assert.False(statement.Contains("NotResource", StringComparison.Ordinal) && Reach.IamCovers("t/a/*", "t/b/x"));
    }

    /// <summary>Refused for another reason than that two organizations meet by what the evaluator knows.</summary>
    public static TheoryData<string, string, string> RefusedAllTheSame => new()
    {
        { FindingCode.NotJson, "{} {}", "AWS may read what follows, or refuse every session" },
        { FindingCode.Depth, """{"Id":[[[[[[[[1]]]]]]]],"Version":"2012-10-17","Statement":[GOOD]}""", "no policy is nested so deep, and the work is bounded" },
        { FindingCode.DuplicateMember, """{"Version":"2012-10-17","Version":"2012-10-17","Statement":[GOOD]}""", "AWS may take the other of the two" },
        {
            FindingCode.UnknownMember,
            """{"Version":"2012-10-17","Principal":"*","Statement":[GOOD]}""",
            "STS refuses the policy, or it means what was not looked at"
        },
        { FindingCode.MissingMember, """{"Version":"2012-10-17","Statement":[GOOD,{"Effect":"Deny","Action":"iot:Publish"}]}""", "STS refuses the policy" },
        { FindingCode.MemberType, """{"Version":"2012-10-17","Statement":[GOOD,{"Effect":"Deny","Action":"*","Resource":{}}]}""", "STS refuses the policy" },
        {
            FindingCode.ConflictingMembers,
            """{"Version":"2012-10-17","Statement":[GOOD,{"Effect":"Deny","Action":"*","NotAction":"iot:x","Resource":"*"}]}""",
            "STS refuses the policy"
        },
        { FindingCode.EmptyList, """{"Version":"2012-10-17","Statement":[GOOD,{"Effect":"Deny","Action":"*","Resource":[]}]}""", "STS refuses the policy" },
        { FindingCode.Version, """{"Statement":[GOOD]}""", "the version before has no policy variables, and other rules" },
        { FindingCode.Effect, """{"Version":"2012-10-17","Statement":[GOOD,{"Effect":"deny","Action":"*","Resource":"*"}]}""", "STS refuses the policy" },
        {
            FindingCode.Sid,
            """{"Version":"2012-10-17","Statement":[GOOD,{"Sid":"a b","Effect":"Deny","Action":"*","Resource":"*"}]}""",
            "STS refuses the policy"
        },
        {
            FindingCode.Condition,
            """{"Version":"2012-10-17","Statement":[GOOD,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEqual":{"aws:a":"b"}}}]}""",
            "STS refuses the policy"
        },
        {
            FindingCode.Length,
            $$"""{"Version":"2012-10-17","Statement":[GOOD,{"Effect":"Deny","Action":"iot:{{new string('x', 2048)}}","Resource":"*"}]}""",
            "STS refuses the policy"
        },
        {
            FindingCode.Character,
            """{"Version":"2012-10-17","Id":"\u00e9","Statement":[GOOD]}""",
            "another text may be counted, sent or compared than was written"
        },
        { FindingCode.StrayBrace, """{"Version":"2012-10-17","Id":"{","Statement":[GOOD]}""", "it may have been meant for a placeholder" },
        { FindingCode.UnknownPlaceholder, """{"Version":"2012-10-17","Id":"{user}","Statement":[GOOD]}""", "nothing would replace it" },
        {
            FindingCode.NothingAllowed,
            """{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}""",
            "the session could do nothing"
        },
        {
            FindingCode.Action,
            """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"§thing/{organizationId}:*"}]}""",
            "it can reach what no resource of it names, as iot:SearchIndex and sts:AssumeRole do"
        },
        {
            FindingCode.Inert,
            """{"Version":"2012-10-17","Statement":[GOOD,"""
            + """{"Effect":"Allow","Action":["iot:Publish","iot:Connect"],"Resource":"§topic/u/{organizationId}/*"}]}""",
            "it allows less than its author believes"
        },
        {
            FindingCode.ArnShape,
            """{"Version":"2012-10-17","Statement":["""
            + """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:*:{accountId}:topic/t/{organizationId}/*"}]}""",
            "it is of other regions, where ids may be others'"
        },
        {
            FindingCode.PlaceholderInResource,
            """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Publish","Resource":"§topic/{region}/{organizationId}/*"}]}""",
            "its value is not known when two heads are compared"
        },
        {
            FindingCode.FilterGrammar,
            """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Subscribe","Resource":"§topicfilter/t/{organizationId}/x+"}]}""",
            "no filter of MQTT's is like it"
        },
        {
            FindingCode.OrganizationIsRuleName,
            """{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Publish","Resource":"§topic/$aws/rules/{organizationId}/*"}]}""",
            "the rule is the account's, and names no organization to what it feeds"
        },
    };

    [Theory]
    [MemberData(nameof(RefusedAllTheSame))]
    public void A_template_is_refused_all_the_same(string code, string text, string reason)
    {
        Assert.NotEmpty(reason);
        Assert.Contains(code, Templates.Codes(text.Replace("GOOD", Good, StringComparison.Ordinal), Templates.Wide));
    }

    // What is not said of a template: the form of ids, and the entries of a profile's list. They have tests of their own.
    private static readonly string[] s_elsewhere = [FindingCode.Range, FindingCode.IdAlphabet, FindingCode.IdLength, FindingCode.SharedTopic];

    [Fact]
    public void Every_code_is_shown_to_be_unsafe_or_has_a_reason_and_stands_in_the_documentation()
    {
        var codes = typeof(FindingCode).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetValue(null)!).ToList();
        var shown = Unsafe.Select(row => row.Data.Item1)
            .Concat(RefusedAllTheSame.Select(row => row.Data.Item1))
            .Append(FindingCode.NotInAllow)
            .Concat(s_elsewhere);
        Assert.Equal(codes.Order(StringComparer.Ordinal), shown.Distinct().Order(StringComparer.Ordinal));

        var page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "session-policies.md"));
        var refusals = page[page.IndexOf("## Refusals", StringComparison.Ordinal)..];
        Assert.All(codes, code => Assert.Contains($"`{code}`", refusals, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_action_and_reserved_topic_stands_in_the_documentation_with_a_page_of_AWS()
    {
        var rows = File.ReadLines(Path.Combine(AppContext.BaseDirectory, "session-policies.md")).Where(line => line.StartsWith('|')).ToList();
        Assert.All(IotAction.All, action => Assert.Contains(rows, row =>
            row.StartsWith($"| `{action.Type.Spell()}` |", StringComparison.Ordinal)
            && row.Contains($"`{action.Name}`", StringComparison.Ordinal)
            && row.Contains("(https://docs.aws.amazon.com/", StringComparison.Ordinal)));
        Assert.All(ReservedTopics.All, topics => Assert.Contains(rows, row =>
            (row.Contains($"`{topics.Start}", StringComparison.Ordinal) || row.Contains($"`…/{topics.Start.Split('/')[^2]}/CLIENT`", StringComparison.Ordinal))
            && row.Contains("(https://docs.aws.amazon.com/", StringComparison.Ordinal)));
        // Cutting one beginning off must not leave another one.
        Assert.All(ReservedTopics.All, one => Assert.All(ReservedTopics.All, other =>
            Assert.True(one == other || !one.Start.StartsWith(other.Start, StringComparison.Ordinal))));
    }

    private static OrganizationIdFormat Ids(string name) => name switch
    {
        "two" => Templates.Format("", "ab-", 2, 2),
        "two lengths" => Templates.Format("", "ab-", 2, 3),
        _ => Templates.Wide,
    };

    private static string Allow(string action, params string[] resources) => Templates.Allow(action, resources);

    private static IReadOnlyList<Reach.Resource> Rendered(string text, string id) => Reach.Resources(
        text.Replace("§", "arn:aws:iot:r:111122223333:", StringComparison.Ordinal)
            .Replace("{organizationId}", id, StringComparison.Ordinal)
            .Replace("${x}", "*", StringComparison.Ordinal));
}
