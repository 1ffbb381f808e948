using System.Text.RegularExpressions;
using IotCredentials.Policies;
using Xunit;

namespace IotCredentials.Tests.Policies;

/// <summary>Policies that the field wrote, and others of their kinds. What is accepted is also searched by the evaluator.</summary>
public sealed partial class FieldPolicyTests
{
    private static readonly OrganizationIdFormat s_uuids = Templates.Format("", "0-9a-f-", 36, 36);

    private static string Case(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Cases", $"{name}.json"));

    [Theory]
    [InlineData("uuid-ids", "uuids")]
    [InlineData("jobs-actions", "O")]
    [InlineData("list-named-shadows", "O")]
    [InlineData("commands", "O")]
    [InlineData("suffix", "O")]
    [InlineData("suffix", "W")]
    [InlineData("number-in-condition", "O")]
    [InlineData("broadcast", "O", "§topicfilter/broadcast")]
    [InlineData("broadcast", "W", "§topicfilter/broadcast")]
    [InlineData("broadcast", "O", "§topic/broadcast")]
    public void E2_to_E7_a_safe_policy_of_the_field_is_accepted(string name, string ids, params string[] shared) => Accept(Case(name), Ids(ids), shared);

    [Theory]
    [InlineData("length-thin-edge", "O", FindingCode.Length)]
    [InlineData("uuid-ids", "W", FindingCode.NotClosed)]
    [InlineData("broadcast", "O", FindingCode.NoOrganization)]
    [InlineData("region-star", "O", FindingCode.ArnShape)]
    public void E1_to_E7_a_policy_of_the_field_is_refused_for_one_reason(string name, string ids, string code) =>
        Assert.Equal([code], Templates.Codes(Case(name), Ids(ids)));

    [Theory]
    [InlineData("o-", "A-Za-z0-9")]
    [InlineData("t_", "a-f0-9")]
    [InlineData("organization-", "a-z-")]
    public void E1_the_message_says_the_assumed_length_and_the_one_that_fits(string prefix, string characters)
    {
        var text = Case("length-thin-edge");
        Assert.Null(Templates.Parse(text, Templates.Format(prefix, characters), out var findings));
        var finding = Assert.Single(findings);
        Assert.Contains($"For an id of {prefix.Length + 64} characters", finding.Message, StringComparison.Ordinal);
        Assert.Contains("64, IotCredentials:OrganizationId:Length:Max", finding.Message, StringComparison.Ordinal);

        var most = int.Parse(LengthMax().Match(finding.Message).Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        Accept(text, Templates.Format(prefix, characters, 1, most));
        Assert.Equal([FindingCode.Length], Templates.Codes(text, Templates.Format(prefix, characters, 1, most + 1)));
    }

    [Fact]
    public void E1_a_policy_that_no_id_makes_fit_says_so()
    {
        var text = Templates.Document(
            """{"Effect":"Allow","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*"}""",
            $$"""{"Effect":"Deny","Action":"iot:{{new string('x', 2048)}}","Resource":"*"}""");
        Assert.Null(Templates.Parse(text, Templates.Wide, out var findings));
        Assert.Contains("No shorter id makes it fit", Assert.Single(findings).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(36, 36, 36, true)]
    [InlineData(36, 36, 35, false)]
    [InlineData(36, 36, 37, false)]
    [InlineData(2, 3, 1, false)]
    [InlineData(2, 3, 2, true)]
    [InlineData(2, 3, 3, true)]
    [InlineData(2, 3, 4, false)]
    [InlineData(1, 64, 64, true)]
    [InlineData(1, 64, 65, false)]
    [InlineData(64, 64, 64, true)]
    public void E1_Length_bounds_what_is_an_id(int min, int max, int length, bool expected)
    {
        var format = Templates.Format("o-", "a-z", min, max);
        Assert.Equal(expected, format.TryParse("o-" + new string('a', length), out _));
        Assert.Equal((2 + min, 2 + max), (format.ShortestId.Value.Length, format.LongestId.Value.Length));
    }

    [Theory]
    [InlineData(0, 64)]
    [InlineData(-1, 5)]
    [InlineData(1, 65)]
    [InlineData(5, 4)]
    [InlineData(0, 0)]
    [InlineData(65, 65)]
    public void E1_a_Length_that_is_none_is_refused(int min, int max)
    {
        Assert.Null(OrganizationIdFormat.TryCreate(new OrganizationIdOptions { Length = new() { Min = min, Max = max } }, out var findings));
        Assert.Equal(FindingCode.IdLength, Assert.Single(findings).Code);
    }

    [Theory]
    [InlineData(62, true)]
    [InlineData(63, false)]
    public void E1_a_role_name_is_as_long_as_the_longest_id_makes_it(int max, bool expected) =>
        Texts(max, expected, texts => texts.ReadRoleArn("RoleArn", "arn:aws:iam::111122223333:role/r-{organizationId}"));

    [Theory]
    [InlineData(24, true)]
    [InlineData(25, false)]
    public void E1_an_external_id_is_as_long_as_the_longest_id_makes_it(int max, bool expected) =>
        Texts(max, expected, texts => texts.ReadExternalId("ExternalId", new string('x', 1200) + "{organizationId}"));

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public void E1_a_tag_is_as_long_as_the_longest_id_makes_it(int max, bool expected) =>
        Texts(max, expected, texts => texts.ReadTags("SessionTags", [new("a", new string('x', 240) + "{organizationId}")]));

    [Fact]
    public void E1_an_external_id_is_as_short_as_the_shortest_id_makes_it()
    {
        var findings = new List<Finding>();
        Assert.Null(new AssumeRoleInputReader(Templates.Format("", "a-z", 1, 9), findings).ReadExternalId("ExternalId", "{organizationId}"));
        Assert.Contains("Length:Min", Assert.Single(findings).Message, StringComparison.Ordinal);
        Assert.NotNull(new AssumeRoleInputReader(Templates.Format("", "a-z", 2, 9), findings).ReadExternalId("ExternalId", "{organizationId}"));
    }

    [Theory]
    [InlineData("client/{organizationId}-*")]
    [InlineData("client/{organizationId}*")]
    [InlineData("client/{organizationId}?x")]
    [InlineData("client/dev-{organizationId}")]
    [InlineData("client/{organizationId}{organizationId}")]
    [InlineData("topic/t/{organizationId}a/*")]
    [InlineData("topic/t*{organizationId}")]
    [InlineData("topicfilter/t/{organizationId}*")]
    [InlineData("topicfilter/t/{organizationId}-x/#")]
    [InlineData("topicfilter/t/+/a{organizationId}")]
    [InlineData("thing/{organizationId}-*")]
    [InlineData("thing/{organizationId}*")]
    [InlineData("topic/$aws/things/{organizationId}-*/shadow/*")]
    public void E2_ids_of_one_length_need_no_closer(string resource)
    {
        Accept(Template(resource), s_uuids);
        // With one more length they do.
        Assert.NotEmpty(
            Templates.Codes(Template(resource), Templates.Format("", "0-9a-f-", 35, 36)).Append(IsSafeAnyway(resource) ? "" : null).OfType<string>());
    }

    [Theory]
    [InlineData("client/{organizationId}-*", "client/a-{organizationId}-*", 4, FindingCode.Collision)] // a-bb and bb-b
    [InlineData("client/{organizationId}:*", "client/a-{organizationId}:*", 4)] // a colon is in no id, so that b has not ended
    [InlineData("client/{organizationId}", "client/a-{organizationId}", 4)]
    [InlineData("topic/{organizationId}*", "topic/x/{organizationId}/*", 4)] // the slash is in no id, and x/ is shorter than one
    [InlineData("topic/{organizationId}*", "topic/abcd/{organizationId}/*", 4, FindingCode.Collision)] // abcd is an id
    [InlineData("topic/{organizationId}/*", "topic/abcd/{organizationId}/*", 4, FindingCode.Collision)]
    [InlineData("topic/{organizationId}/*", "topic/abcde/{organizationId}/*", 4)]
    [InlineData("topic/{organizationId}/*", "topic/abcd-{organizationId}/*", 4)]
    [InlineData("topic/{organizationId}-*", "topic/abcd-{organizationId}/*", 4, FindingCode.Collision)]
    [InlineData("topic/{organizationId}b*", "topic/abcd{organizationId}/*", 4, FindingCode.Collision)] // b begins with b
    [InlineData("topic/{organizationId}z*", "topic/abcd{organizationId}/*", 4)] // z begins no id
    [InlineData("topic/{organizationId}", "topic/abcd{organizationId}", 4)]
    [InlineData("thing/{organizationId}", "topic/$aws/things/abcd/shadow/{organizationId}/*", 4, FindingCode.Collision)]
    [InlineData("thing/{organizationId}-*", "topic/$aws/things/abcd/shadow/{organizationId}/*", 4)]
    public void E2_heads_of_ids_of_one_length_meet_where_an_id_fits(string one, string other, int length, params string[] codes)
    {
        var ids = Templates.Format("", "a-d-", length, length);
        Assert.Equal(codes, Templates.Codes(Template(one, other), ids));
        if (codes.Length == 0)
            Accept(Template(one, other), ids);
        else
            Assert.NotNull(Trouble(Template(one, other), ids, ["abcd", "a-bb", "bb-b", "baaa"]));
    }

    [Theory]
    [InlineData("", "ab", 1, 2, "topic/{organizationId}/*", "topic/ab/{organizationId}/*", FindingCode.Collision)]
    [InlineData("", "ab", 3, 4, "topic/{organizationId}/*", "topic/ab/{organizationId}/*")] // too short to be an id
    [InlineData("", "ab", 1, 2, "topic/{organizationId}/*", "topic/aba/{organizationId}/*")] // too long
    [InlineData("", "ab", 2, 3, "topic/{organizationId}/*", "topic/a{organizationId}/*", FindingCode.Collision)]
    [InlineData("", "ab", 2, 3, "topic/{organizationId}/*", "topic/ab{organizationId}/*")] // with an id behind it, too long
    [InlineData("a", "ab", 2, 3, "topic/{organizationId}/*", "topic/a{organizationId}/*", FindingCode.Collision)]
    public void E2_heads_meet_where_an_id_of_the_true_lengths_fits(
        string prefix, string characters, int min, int max, string one, string other, params string[] codes)
    {
        var ids = Templates.Format(prefix, characters, min, max);
        Assert.Equal(codes, Templates.Codes(Template(one, other), ids));
        Assert.Equal(codes.Length == 0, Trouble(Template(one, other), ids, Every(ids)) is null);
    }

    [Fact]
    public void E3_every_action_of_the_table_is_accepted_on_its_type_and_on_no_other()
    {
        foreach (var action in IotAction.All)
        {
            foreach (var type in Enum.GetValues<IotResourceType>())
            {
                var codes = Templates.Codes(Templates.Allow(action.Name, $"§{type.Spell()}/{{organizationId}}-x"), Templates.Prefixed);
                Assert.True(codes.Length == 0 == (action.Type == type), $"{action.Name} on {type}: {string.Join(' ', codes)}");
            }

            Assert.Empty(Templates.Codes(Templates.Allow(action.Name.ToUpperInvariant(), $"§{action.Type.Spell()}/{{organizationId}}-x"), Templates.Prefixed));
        }
    }

    [Theory]
    [InlineData("iotjobsdata:UpdateJobExecution", IotResourceType.Thing)]
    [InlineData("iotjobsdata:GetPendingJobExecutions", IotResourceType.Thing)]
    [InlineData("iot:DeleteConnection", IotResourceType.Client)]
    [InlineData("iot:ListSubscriptions", IotResourceType.Client)]
    [InlineData("iot:GetConnection", IotResourceType.Client)]
    [InlineData("iot:ListNamedShadowsForThing", IotResourceType.Thing)]
    internal void E3_an_action_on_one_client_or_thing_is_known(string name, IotResourceType type) => Assert.Equal(type, IotAction.Find(name)?.Type);

    [Theory]
    [InlineData("iot:ListRetainedMessages")]
    [InlineData("iot:SearchIndex")]
    [InlineData("iot:SendDirectMessage")]
    [InlineData("iot:StartCommandExecution")]
    [InlineData("iot:UpdateThing")]
    [InlineData("iot:CreateJob")]
    [InlineData("iotjobsdata:*")]
    [InlineData("iotjobsdata:StartCommandExecution")]
    [InlineData("iotjobsdata:Publish")]
    [InlineData("iotjobsdata:GetThingShadow")]
    [InlineData("iot :Publish")]
    [InlineData("")]
    public void E3_an_action_that_reaches_further_is_refused(string action) =>
        Assert.Contains(FindingCode.Action, Templates.Codes(Templates.Allow(action, "§thing/{organizationId}-*"), Templates.Prefixed));

    [Theory]
    [InlineData("topic/$aws/things/{organizationId}-*/jobs/*/update")]
    [InlineData("topicfilter/$aws/things/{organizationId}-*/jobs/notify-next")]
    [InlineData("topicfilter/$aws/things/{organizationId}-*/tunnels/notify")]
    [InlineData("topic/$aws/things/{organizationId}-*/defender/metrics/json")]
    [InlineData("topic/$aws/things/{organizationId}-*/streams/*/get/cbor")]
    [InlineData("topicfilter/$aws/commands/things/{organizationId}-x/executions/+/request/json")]
    [InlineData("topic/$aws/commands/clients/{organizationId}-*/executions/*/response/json")]
    [InlineData("topicfilter/$aws/events/thing/{organizationId}-*/updated")]
    [InlineData("topicfilter/$aws/events/thingTypeAssociation/thing/{organizationId}-*/+")]
    [InlineData("topicfilter/$aws/events/presence/connected/{organizationId}-*")]
    [InlineData("topicfilter/$aws/events/presence/disconnected/{organizationId}")]
    [InlineData("topic/$aws/events/presence/connect_failed/{organizationId}-*")]
    [InlineData("topic/$aws/events/subscriptions/subscribed/{organizationId}-*")]
    [InlineData("topic/$aws/events/subscriptions/unsubscribed/web/{organizationId}-*")]
    public void E4_a_topic_of_one_thing_or_client_is_accepted(string resource)
    {
        Accept(Template(resource), Templates.Prefixed);
        Accept(
            Template(resource, "thing/{organizationId}-*", "client/{organizationId}-*", "topic/$aws/things/{organizationId}-*/shadow/*"), Templates.Prefixed);
    }

    [Theory]
    [InlineData("thing/{organizationId}.*", '.')]
    [InlineData("thing/{organizationId} *", ' ')]
    [InlineData("thing/a.b:{organizationId}", '.')]
    [InlineData("thing/{organizationId}:x=*/shadow.1", '=')]
    [InlineData("topic/$aws/things/{organizationId}.*/shadow/*", '.')]
    [InlineData("topicfilter/$aws/commands/things/{organizationId}@x/executions/#", '@')]
    [InlineData("thing/{organizationId}:*/a.b", null)]
    [InlineData("thing/{organizationId}:a_b-?*", null)]
    [InlineData("topic/$aws/things/{organizationId}:*/shadow/name/$package/get", null)]
    [InlineData("client/{organizationId}.*", null)]
    public void A_name_that_no_thing_has_is_a_warning(string resource, char? character)
    {
        Assert.NotNull(Templates.Parse(Template(resource), Templates.Wide, out var findings));

        Assert.Equal(character is null ? [] : [(Severity.Warning, FindingCode.Inert)], findings.Select(finding => (finding.Severity, finding.Code)));
        Assert.All(findings, finding => Assert.EndsWith($"no thing's name holds `{character}`.", finding.Message, StringComparison.Ordinal));
    }

    /// <summary>A remedy that would be refused, or grant nothing, is not given.</summary>
    [Theory]
    [InlineData("topic/announcements/*", FindingCode.NoOrganization, "list it under the profile's SharedTopics", "begins with `$`")]
    [InlineData("topic/$aws/certificates/create/*", FindingCode.NoOrganization, "a session may have AWS's topics of one thing", "SharedTopics")]
    [InlineData("topicfilter/$aws/things/+/shadow/#", FindingCode.NoOrganization, "such as `$aws/things/…`", "SharedTopics")]
    [InlineData("topicfilter/$share/g/announcements/#", FindingCode.NoOrganization, "begins with `$`", "SharedTopics")]
    [InlineData("topicfilter/#", FindingCode.NoOrganization, "write {organizationId} into it.", "SharedTopics")]
    [InlineData("topic/*", FindingCode.NoOrganization, "write {organizationId} into it.", "SharedTopics")]
    [InlineData("thing/{organizationId}-*", FindingCode.NotClosed, "write `:` there", "such as `/`")]
    [InlineData("topic/$aws/things/{organizationId}-*/shadow/*", FindingCode.NotClosed, "write `:` there", "such as `/`")]
    [InlineData("client/{organizationId}-*", FindingCode.NotClosed, "such as `/` or `:`", "a thing's name")]
    [InlineData("thing/x*:{organizationId}", FindingCode.WildcardBeforeOrganization, "Write literals there.", "last")]
    [InlineData("topicfilter/$aws/events/presence/connected/+/{organizationId}", FindingCode.WildcardBeforeOrganization, "Write literals there.", "last")]
    [InlineData("topicfilter/$aws/events/presence/+/{organizationId}", FindingCode.WildcardBeforeOrganization, "Write literals there.", "last")]
    public void A_remedy_is_one_that_is_accepted(string resource, string code, string remedy, string other)
    {
        Assert.Null(Templates.Parse(Template(resource), Templates.Wide, out var findings));

        var finding = Assert.Single(findings, finding => finding.Code == code);
        Assert.Contains(remedy, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(other, finding.Message, StringComparison.Ordinal);
    }

    /// <summary>A stream is the account's. An organization that may ask for one behind its own thing's name gets any.</summary>
    [Theory]
    [InlineData("iot:Publish", "{organizationId}-*/streams/*", Severity.Error)]
    [InlineData("iot:Publish", "{organizationId}-*/streams/*/get/cbor", Severity.Error)]
    [InlineData("iot:RetainPublish", "{organizationId}-*/streams/firmware/describe/json", Severity.Error)]
    [InlineData("iot:Receive iot:Publish", "{organizationId}-*/*", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-*", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}/s*", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-x/????????s*", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-*/get/json", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-*ware/get/json", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-*/s*s/firm?are/*", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-*/shadow*", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-*/*/fw/get/json", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-*/{organizationId}/*/get/*", Severity.Warning)]
    [InlineData("iot:Publish", "{organizationId}-*/streams/{organizationId}*", Severity.Error)]
    [InlineData("iot:Publish", "{organizationId}-*/streams/{organizationId}", Severity.Error)]
    [InlineData("iot:Publish", "{organizationId}-*/streams/{organizationId}-*", null)]
    [InlineData("iot:Publish", "{organizationId}-*/streams/{organizationId}-*/get/json", null)]
    [InlineData("iot:Publish", "hub/{organizationId}*", Severity.Warning)]
    [InlineData("iot:Publish", "hub/streams/{organizationId}-*", null)]
    [InlineData("iot:Receive", "{organizationId}-*/*", null)]
    [InlineData("iot:Publish", "{organizationId}-*/shadow/*", null)]
    [InlineData("iot:Publish", "{organizationId}-*/jobs/*", null)]
    [InlineData("iot:Publish", "{organizationId}-*/jobs/*/get", null)]
    [InlineData("iot:Publish", "{organizationId}-*/tunnels/*", null)]
    [InlineData("iot:Publish", "{organizationId}-*/shadow/name/*/get", null)]
    [InlineData("iot:Publish", "{organizationId}-*/defender/metrics/json", null)]
    [InlineData("iot:Publish", "{organizationId}/stream*/x", null)]
    public void E4_a_request_for_a_stream_is_refused_and_a_wildcard_that_reaches_one_is_told(string actions, string name, Severity? severity)
    {
        var ids = name.StartsWith("hub/{organizationId}*", StringComparison.Ordinal) ? s_uuids : Templates.Prefixed;
        Templates.Parse(Templates.Allow(actions, $"§topic/$aws/things/{name}"), ids, out var findings);
        Assert.Equal(severity is null ? [] : [(FindingCode.ReservedTopic, severity)],
            findings.Select(static finding => (finding.Code, (Severity?)finding.Severity)));
    }

    [Theory]
    [InlineData("topic/$aws/certificates/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/certificates/create/json/{organizationId}", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/provisioning-templates/{organizationId}/provision/json", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$aws/events/job/{organizationId}/completed", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$aws/events/jobExecution/{organizationId}/succeeded", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$aws/events/commandExecution/{organizationId}/+", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$aws/events/thingGroup/{organizationId}/created", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$aws/events/thingTypeX/{organizationId}/created", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$aws/events/presence/{organizationId}", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$aws/events/presence/connectedx/{organizationId}", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/device_location/{organizationId}/get_position_estimate", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$aws/sitewise/asset-models/{organizationId}/assets/#", FindingCode.ReservedTopic)]
    [InlineData("topic/$AWS/things/{organizationId}/shadow/get", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/Things/{organizationId}/shadow/get", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/commands/things/hub/executions/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/events/thing/hub/{organizationId}", FindingCode.ReservedTopic)]
    [InlineData("client/$aws/things/{organizationId}", FindingCode.ReservedTopic)]
    [InlineData("thing/$aws/things/{organizationId}", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/events/presence/*/{organizationId}", FindingCode.ReservedTopic)]
    public void E4_other_reserved_topics_are_refused(string resource, string code) =>
        Assert.Contains(code, Templates.Codes(Template(resource), Templates.Prefixed));

    [Theory]
    // A thing that one resource reaches by its own name is another organization's by another one.
    [InlineData("thing/{organizationId}", "topic/$aws/commands/things/x:{organizationId}/executions/*", false)]
    [InlineData("thing/{organizationId}:*", "topic/$aws/commands/things/x:{organizationId}/executions/*", true)]
    [InlineData("topic/$aws/things/{organizationId}:*", "topic/$aws/events/thing/x:{organizationId}/*", true)]
    [InlineData("topic/$aws/things/{organizationId}/shadow/*", "topicfilter/$aws/commands/things/x:{organizationId}/executions/#", false)]
    [InlineData("client/{organizationId}:*", "topicfilter/$aws/events/presence/connected/x:{organizationId}", true)]
    [InlineData("client/{organizationId}", "topicfilter/$aws/events/presence/connected/x/{organizationId}", false, true)]
    [InlineData("client/{organizationId}/*", "topicfilter/$aws/events/presence/connected/x/{organizationId}", true)]
    [InlineData("topicfilter/$aws/events/presence/connected/{organizationId}:*", "topic/$aws/commands/clients/x:{organizationId}/executions/*", true)]
    [InlineData("client/{organizationId}", "client/x/{organizationId}", false)]
    [InlineData("client/{organizationId}:*", "topic/$aws/things/x:{organizationId}/shadow/*", false)]
    public void E4_topics_of_a_thing_or_client_are_compared_with_it(string one, string other, bool meet, bool refusedAllTheSame = false)
    {
        Assert.Equal(meet || refusedAllTheSame ? [FindingCode.Collision] : [], Templates.Codes(Template(one, other), Templates.Wide));
        Assert.Equal(meet, Trouble(Template(one, other), Templates.Wide, ["x", "y", "aa", "x-"]) is not null);
    }

    [Theory]
    [InlineData("topicfilter/status/+/{organizationId}")]
    [InlineData("topicfilter/status/*/{organizationId}")]
    [InlineData("topicfilter/$share/g/status/+/{organizationId}")]
    [InlineData("topic/status/*/{organizationId}/cmd")]
    [InlineData("topic/dt/?/{organizationId}")]
    [InlineData("topic/status:*:{organizationId}")]
    [InlineData("client/dev/*/{organizationId}")]
    [InlineData("client/x*:{organizationId}")]
    public void E5_an_id_before_the_end_is_accepted_behind_wildcards(string resource)
    {
        Accept(Template(resource), Templates.Wide);
        Accept(Template(resource), Templates.Prefixed);
    }

    [Theory]
    [InlineData("topic/*/{organizationId}", "W", "begin")] // `$aws/things/X/jobs/notify` for an organization named so
    [InlineData("topic/?/{organizationId}", "W", "begin")]
    [InlineData("topicfilter/+/{organizationId}", "W", "begin")]
    [InlineData("topic/status/*{organizationId}", "W", "directly before it")]
    [InlineData("topic/status/*-{organizationId}", "W", "directly before it")]
    [InlineData("topic/status/*o{organizationId}", "O", "directly before it")]
    [InlineData("topic/status/*-{organizationId}", "O", "directly before it")] // the prefix holds `-`
    [InlineData("topic/status/*/{organizationId}/*", "W", "more than literals behind it")]
    [InlineData("topic/status/*/{organizationId}/x/{organizationId}", "W", "more than literals behind it")]
    [InlineData("topicfilter/status/+/{organizationId}/#", "W", "more than literals behind it")]
    [InlineData("topicfilter/status/#/{organizationId}", "W", "no wildcard of the kind")]
    [InlineData("topicfilter/status/x+/{organizationId}", "W", "no wildcard of the kind")]
    [InlineData("topic/status/+/{organizationId}", "W", "no wildcard of the kind")]
    [InlineData("thing/x*:{organizationId}", "W", "read from its beginning")] // also the shadow y:ID of every thing that begins with x
    [InlineData("topic/$aws/things/*/shadow/{organizationId}", "W", "read from its beginning")]
    [InlineData("topicfilter/$aws/events/presence/connected/*:{organizationId}", "W", "read from its beginning")]
    public void E5_a_wildcard_before_the_id_is_refused_with_the_true_reason(string resource, string ids, string reason)
    {
        Assert.Null(Templates.Parse(Template(resource), Ids(ids), out var findings));
        var finding = Assert.Single(findings);
        Assert.Equal(FindingCode.WildcardBeforeOrganization, finding.Code);
        Assert.Contains(reason, finding.Message, StringComparison.Ordinal);
        Assert.Equal(
            !resource.StartsWith("thing/", StringComparison.Ordinal) && !resource.Contains('$', StringComparison.Ordinal),
            finding.Message.Contains("put {organizationId} last", StringComparison.Ordinal));
        // Either there are two that meet, or the message does not claim it.
        Assert.Equal(finding.Counterexample is null, finding.Message.Contains("It may be safe, but cannot be proven here", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("topic/status/*/{organizationId}", "topicfilter/status/+/{organizationId}")]
    [InlineData("topic/status/*/{organizationId}", "topic/status/*/{organizationId}/cmd", FindingCode.Collision)] // an organization named cmd
    [InlineData("topic/status/*/{organizationId}/a", "topic/status/*/{organizationId}/b")]
    [InlineData("topic/status/*/{organizationId}", "topic/status/{organizationId}/*", FindingCode.Collision)]
    [InlineData("topic/status/*/{organizationId}", "topic/status/x/{organizationId}")]
    [InlineData("topic/status/*/{organizationId}", "topic/status/x-{organizationId}", FindingCode.Collision)]
    [InlineData("topic/status/*/{organizationId}", "topic/t/{organizationId}/*")]
    [InlineData("topic/status/*/{organizationId}", "topic/{organizationId}/*", FindingCode.Collision)] // an organization named status
    [InlineData("client/dev/*/{organizationId}", "topicfilter/$aws/events/presence/connected/dev/{organizationId}", FindingCode.Collision)]
    public void E5_an_id_at_the_end_is_compared_with_the_others(string one, string other, params string[] codes)
    {
        Assert.Equal(codes, Templates.Codes(Template(one, other), Templates.Wide));
        if (codes.Length == 0)
            Assert.Null(Trouble(Template(one, other), Templates.Wide, ["status", "cmd", "x", "x-a", "a", "b", "dev"]));
    }

    [Theory]
    [InlineData("topic/announcements/*", "topicfilter/announcements/*")]
    [InlineData("topicfilter/announcements/#", "topicfilter/announcements/#")]
    [InlineData("topicfilter/announcements/+/all", "topicfilter/announcements/+/all")]
    [InlineData("topic/broadcast", "topic/broadcast", "topicfilter/broadcast")]
    [InlineData("topic/a/?/b", "topic/a/?/b")]
    public void E6_a_listed_topic_may_be_received_by_all(string listed, params string[] used)
    {
        var text = Templates.Document(
            [Statement("iot:Publish", "topic/o/{organizationId}/*"), .. used.Select(resource => Statement(ActionOf(resource), resource))]);
        Assert.NotEmpty(Templates.Codes(text, Templates.Wide));
        Accept(text, Templates.Wide, $"§{listed}");
    }

    [Theory]
    [InlineData("iot:Publish", "topic/broadcast", FindingCode.SharedTopicPublished)]
    [InlineData("iot:RetainPublish", "topic/broadcast", FindingCode.SharedTopicPublished)]
    [InlineData("IOT:PUBLISH", "topic/broadcast", FindingCode.SharedTopicPublished)]
    [InlineData("iot:Receive\",\"iot:Publish", "topic/broadcast", FindingCode.SharedTopicPublished)]
    [InlineData("iot:Subscribe", "topicfilter/broadcast/#", FindingCode.NoOrganization)] // another text than the listed one
    [InlineData("iot:Subscribe", "topicfilter/broadcas?", FindingCode.NoOrganization)]
    [InlineData("iot:Subscribe", "topicfilter/Broadcast", FindingCode.NoOrganization)]
    [InlineData("iot:Subscribe", "topicfilter/$share/g/broadcast", FindingCode.NoOrganization)]
    [InlineData("iot:Connect", "client/broadcast", FindingCode.NoOrganization)]
    [InlineData("iot:GetThingShadow", "thing/broadcast", FindingCode.NoOrganization)]
    public void E6_a_listed_topic_is_no_more_than_received(string action, string resource, string code) =>
        Assert.Equal(
            [code],
            Templates.Codes(
                Templates.Document(Statement("iot:Publish", "topic/o/{organizationId}/*"), Statement(action, resource)), Templates.Wide, "§topic/broadcast"));

    [Theory]
    [InlineData("topic/o/{organizationId}/*", "topic/o/*")]
    [InlineData("topic/o/{organizationId}/*", "topic/o/all/*")] // an organization named all
    [InlineData("topic/o/{organizationId}/*", "topic/o/a*")]
    [InlineData("topic/o/{organizationId}/*", "topic/o*")]
    [InlineData("topic/{organizationId}/*", "topic/announcements/*")] // an organization named announcements
    [InlineData("topic/$aws/rules/r/{organizationId}/*", "topic/announcements/*")] // by the rule r
    [InlineData("topic/{organizationId}", "topic/broadcast")]
    [InlineData("topicfilter/{organizationId}/#", "topic/broadcast")] // x/# receives x as well
    [InlineData("topic/status/*/{organizationId}", "topic/status/x/y")]
    [InlineData("topic/b{organizationId}", "topic/broadcast")]
    [InlineData("topic/{organizationId}", "topicfilter/broadcast/#")]
    public void E6_a_shared_topic_that_is_an_organizations_own_is_refused(string own, string shared)
    {
        var text = Template(own, shared);
        Assert.Equal([FindingCode.SharedTopicOverlap], Templates.Codes(text, Templates.Wide, $"§{shared}"));
        // And the evaluator shows the organization.
        string[] names = ["all", "announcements", "broadcast", "roadcast", "y", "a", "x"];
        var pattern = Reach.Resource.OfArn($"arn:aws:iot:r:1:{shared}");
        Assert.Contains(names, name => MeetingSearch.Find(Rendered(text, name)[0], pattern) is not null);
    }

    [Theory]
    [InlineData("topic/{organizationId}/*", "topic/announcements/*", "O")] // no id begins so
    [InlineData("topic/{organizationId}/*", "topic/broadcast", "W")]
    [InlineData("topic/o/{organizationId}/*", "topic/announcements/*", "W")]
    [InlineData("topic/newsletters/{organizationId}/*", "topicfilter/news/*", "W")]
    [InlineData("topicfilter/{organizationId}/messages", "topicfilter/broadcast", "W")]
    [InlineData("topic/o/{organizationId}/*", "topic/o", "W")]
    [InlineData("thing/{organizationId}:*", "topic/announcements/*", "W")]
    [InlineData("topic/$aws/things/{organizationId}:*/shadow/*", "topic/things/*", "W")]
    [InlineData("topic/{organizationId}/*", "topic/abc/*", "uuids")] // too short for an id
    public void E6_a_shared_topic_beside_the_organizations_is_accepted(string own, string shared, string ids) =>
        Accept(Template(own, shared), Ids(ids), $"§{shared}");

    [Theory]
    [InlineData("", FindingCode.ArnShape)]
    [InlineData("topic/announcements/*", FindingCode.ArnShape)]
    [InlineData("arn:aws:iot:*:111122223333:topic/announcements/*", FindingCode.ArnShape)]
    [InlineData("§client/x", FindingCode.SharedTopic)]
    [InlineData("§thing/x", FindingCode.SharedTopic)]
    [InlineData("§topic/{organizationId}/*", FindingCode.SharedTopic)]
    [InlineData("§topic/*", FindingCode.SharedTopic)]
    [InlineData("§topic/?x", FindingCode.SharedTopic)]
    [InlineData("§topicfilter/#", FindingCode.SharedTopic)]
    [InlineData("§topicfilter/+/x", FindingCode.SharedTopic)]
    [InlineData("§topic/$aws/things/x/jobs/notify", FindingCode.SharedTopic)]
    [InlineData("§topicfilter/$share/g/x", FindingCode.SharedTopic)]
    [InlineData("§topic/", FindingCode.SharedTopic)]
    [InlineData("§topic/{region}/*", FindingCode.PlaceholderInResource)]
    [InlineData("§topic/x${aws:username}", FindingCode.PolicyVariable)]
    [InlineData("§topic/x/$y", FindingCode.ReservedTopic)]
    [InlineData("§topic/x/#", FindingCode.FilterGrammar)]
    [InlineData("§topicfilter/x/y#", FindingCode.FilterGrammar)]
    [InlineData("§topicfilter/x/#/y", FindingCode.FilterGrammar)]
    public void E6_an_entry_that_is_no_shared_topic_is_refused(string entry, string code)
    {
        var findings = new List<Finding>();
        var shared = SharedTopics.Read([entry.Replace("§", Templates.Arn, StringComparison.Ordinal)], (_, finding) => findings.Add(finding));
        Assert.Empty(shared.All);
        Assert.Equal(code, Assert.Single(findings).Code);
    }

    [Theory]
    [InlineData("arn:aws:iot:*:{accountId}:topic/t/{organizationId}/*", "has `*` as its region: write {region}, or one region such as eu-west-1.")]
    [InlineData("arn:aws:iot:{region}:*:topic/t/{organizationId}/*", "has `*` as its account: write {accountId}, or 12 digits.")]
    [InlineData("arn:aws:iot:*:*:topic/t/{organizationId}/*",
        "has `*` as its region: write {region}, or one region such as eu-west-1; and `*` as its account: write {accountId}, or 12 digits.")]
    [InlineData("arn:aws*:iot:{region}:{accountId}:topic/t/{organizationId}/*", "has `aws*` as its partition")]
    [InlineData("arn:aws-eu:iot:{region}:{accountId}:topic/t/{organizationId}/*", "has `aws-eu` as its partition")]
    [InlineData("arn:aws:iot:EU-WEST-1:{accountId}:topic/t/{organizationId}/*", "has `EU-WEST-1` as its region")]
    [InlineData("arn:aws:iot:eu-west-?:{accountId}:topic/t/{organizationId}/*", "has `eu-west-?` as its region")]
    [InlineData("arn:aws:iot::{accountId}:topic/t/{organizationId}/*", "has `` as its region")]
    [InlineData("arn:aws:iot:{region}:1234:topic/t/{organizationId}/*", "has `1234` as its account")]
    [InlineData("arn:aws:iot:{region}:{accountId}:Topic/t/{organizationId}/*", "has `Topic` as its type")]
    [InlineData("arn:aws:iot:{region}:{accountId}:topic*/t/{organizationId}/*", "has `topic*` as its type")]
    [InlineData("arn:aws:iot:{region}:{accountId}:job/{organizationId}", "has `job` as its type")]
    [InlineData("arn:aws:iotdata:{region}:{accountId}:topic/t/{organizationId}/*", "has `iotdata` as its service")]
    [InlineData("arn:aws:iot:topic/t/{organizationId}/*", "is not of the shape arn:{partition}:iot:{region}:{accountId}:TYPE/NAME.")]
    public void E7_a_message_names_the_part_of_the_ARN_that_is_wrong(string resource, string expected)
    {
        Assert.Null(Templates.Parse(Templates.Allow("iot:Publish", resource), Templates.Wide, out var findings));
        var finding = Assert.Single(findings);
        Assert.Equal(FindingCode.ArnShape, finding.Code);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3600")]
    [InlineData("-1")]
    [InlineData("0")]
    [InlineData("1.50")]
    [InlineData("1e3")]
    [InlineData("-0.0E+10")]
    [InlineData("12345678901234567890123456789012345678901234567890")]
    [InlineData("true")]
    [InlineData("[1,2.0,\"3\",false]")]
    public void E7_numbers_and_booleans_of_conditions_are_sent_as_they_are_written(string value)
    {
        var statement =
            """{"Effect":"Allow","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":"""
            + value + "}}}";
        var template = Templates.Parse(Templates.Document(statement), Templates.Wide, out var findings);
        Assert.Empty(findings);
        Assert.Contains("{\"aws:MultiFactorAuthAge\":" + value + "}", template!.Render(Templates.Wide.Values("a")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("topicfilter/$share/*/{organizationId}/#", FindingCode.WildcardBeforeOrganization)]
    [InlineData("topicfilter/$share/g*/t/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("topicfilter/$share/?/t/{organizationId}", FindingCode.WildcardBeforeOrganization)]
    [InlineData("topicfilter/$share/*/t/{organizationId}", FindingCode.WildcardBeforeOrganization)]
    [InlineData("topicfilter/$share/+/t/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("topicfilter/$share/{region}/t/{organizationId}/*", FindingCode.PlaceholderInResource)]
    [InlineData("topicfilter/$share/g/*/{organizationId}", FindingCode.WildcardBeforeOrganization)] // the filter behind the group
    [InlineData("topicfilter/$share/g/$aws/things/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("topicfilter/$share/g/$share/h/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/rules/*/t/{organizationId}", FindingCode.WildcardBeforeOrganization)]
    [InlineData("topic/$aws/rules/r?/t/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("topic/$aws/rules/r/*/{organizationId}", FindingCode.WildcardBeforeOrganization)]
    [InlineData("topic/$aws/rules/{accountId}/t/{organizationId}", FindingCode.PlaceholderInResource)]
    [InlineData("topic/$aws/*/{organizationId}/shadow/get", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/thing?/{organizationId}/shadow/get", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/commands/*/{organizationId}/executions/x", FindingCode.ReservedTopic)]
    [InlineData("topic/$aws/events/presence/*connected/{organizationId}", FindingCode.ReservedTopic)]
    [InlineData("topic/$*/{organizationId}", FindingCode.ReservedTopic)]
    public void E8_S3_a_wildcard_or_placeholder_in_a_part_that_is_cut_off_is_refused(string resource, string code)
    {
        foreach (var ids in new[] { Templates.Wide, Templates.Prefixed, s_uuids })
            Assert.Contains(code, Templates.Codes(Template(resource), ids));
    }

    [GeneratedRegex("Length:Max to ([0-9]+);")]
    private static partial Regex LengthMax();

    private static void Texts(int max, bool expected, Func<AssumeRoleInputReader, object?> read)
    {
        var findings = new List<Finding>();
        Assert.Equal(expected, read(new AssumeRoleInputReader(Templates.Format("", "a-z", 2, max), findings)) is not null);
        if (!expected)
            Assert.Contains(
                $"for an id of {max} characters ({max}, IotCredentials:OrganizationId:Length:Max)", Assert.Single(findings).Message, StringComparison.Ordinal);
    }

    private static bool IsSafeAnyway(string resource) => resource is "client/dev-{organizationId}";

    private static OrganizationIdFormat Ids(string name) => name switch { "O" => Templates.Prefixed, "W" => Templates.Wide, _ => s_uuids };

    private static void Accept(string text, OrganizationIdFormat ids, params string[] shared)
    {
        var template = Templates.Parse(text, ids, out var findings, shared);
        Assert.True(findings.Count == 0, string.Join('\n', findings));
        Assert.NotNull(template);
        Assert.Null(Trouble(text, ids, Every(ids), shared));
    }

    private static string? Trouble(string text, OrganizationIdFormat ids, IReadOnlyList<string> names, params string[] shared)
    {
        var topics = shared.Select(topic => topic.Split('/', 2)[1]).ToHashSet(StringComparer.Ordinal);
        var policies = names.Where(name => ids.TryParse(name, out _))
            .Select(name => (name, Own: Rendered(text, name).Where(resource => !topics.Contains(resource.Pattern)).ToList()))
            .ToList();
        return policies.SelectMany(one => policies.Where(other => string.CompareOrdinal(one.name, other.name) < 0).Select(other => (one, other)))
            .Select(pair => MeetingSearch.Find(pair.one.Own, pair.other.Own) is { } meeting ? $"{pair.one.name} and {pair.other.name} meet in {meeting}" : null)
            .FirstOrDefault(trouble => trouble is not null);
    }

    /// <summary>Every id of a small form; of a large one the shortest, and some that begin alike.</summary>
    private static List<string> Every(OrganizationIdFormat ids)
    {
        var letters = ids.Characters.Count <= 5 ? ids.Characters : [ids.Characters[0], ids.Characters[^1]];
        var (least, most) = (ids.MinLength, Math.Min(ids.MaxLength, 4));
        IEnumerable<string> bodies = [new string(ids.Characters[0], Math.Max(0, least - 3))];
        var all = new List<string>();
        for (var length = bodies.First().Length; length <= Math.Max(least, Math.Min(most, least + 1)) && all.Count < 300; length++)
        {
            all.AddRange(bodies.Where(body => body.Length >= least).Select(body => ids.Prefix + body));
            bodies = [.. bodies.SelectMany(body => letters.Select(letter => body + letter))];
        }

        var some = Math.Max(1, all.Count / 40);
        return [.. all.Where((_, i) => i % some == 0).Distinct()];
    }

    private static IReadOnlyList<Reach.Resource> Rendered(string text, string id) => Reach.Resources(
        text.Replace("§", "arn:aws:iot:r:111122223333:", StringComparison.Ordinal).Replace("{organizationId}", id, StringComparison.Ordinal));

    private static string Template(params string[] resources) => Templates.Document([.. resources.Select(resource => Statement(ActionOf(resource), resource))]);

    private static string Statement(string action, string resource) => $$"""{"Effect":"Allow","Action":["{{action}}"],"Resource":"§{{resource}}"}""";

    private static string ActionOf(string resource) =>
        resource.Split('/')[0] switch { "client" => "iot:Connect", "topic" => "iot:Receive", "topicfilter" => "iot:Subscribe", _ => "iot:GetThingShadow" };
}
