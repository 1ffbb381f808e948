using IotCredentials.Policies;
using Xunit;

namespace IotCredentials.Tests.Policies;

public sealed class SessionPolicyTemplateTests
{
    private const string Good = """{"Effect":"Allow","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*"}""";

    [Theory]
    [InlineData("", FindingCode.NotJson)]
    [InlineData("[]", FindingCode.MemberType)]
    [InlineData("null", FindingCode.MemberType)]
    [InlineData("""{"Version":"2012-10-17",}""", FindingCode.NotJson)]
    [InlineData("""{"Version":"2012-10-17"} {}""", FindingCode.NotJson)]
    [InlineData("""/* a */ {"Version":"2012-10-17"}""", FindingCode.NotJson)]
    [InlineData("\ufeff{}", FindingCode.NotJson)]
    [InlineData("""{"Version":"2012-10-17","Version":"2012-10-17","Statement":[GOOD]}""", FindingCode.DuplicateMember)]
    [InlineData("""{"Version":"2012-10-17","\u0056ersion":"2012-10-17","Statement":[GOOD]}""", FindingCode.DuplicateMember)]
    [InlineData("""{"Version":"2012-10-17","Statement":[GOOD],"Comment":"x"}""", FindingCode.UnknownMember)]
    [InlineData("""{"Version":"2012-10-17","statement":[],"Statement":[GOOD]}""", FindingCode.UnknownMember)]
    [InlineData("""{"Version":"2012-10-17","Id":{"a":[[[[[[["x"]]]]]]]},"Statement":[GOOD]}""", FindingCode.Depth)]
    [InlineData("""{"Version":"2012-10-17","Id":7,"Statement":[GOOD]}""", FindingCode.MemberType)]
    [InlineData("""{"Version":"2012-10-17","Id":"\ud800","Statement":[GOOD]}""", FindingCode.Character)]
    [InlineData("""{"Version":"2012-10-17","Id":"caf\u00e9","Statement":[GOOD]}""", FindingCode.Character)]
    [InlineData("""{"Version":"2012-10-17","Id":"{user}","Statement":[GOOD]}""", FindingCode.UnknownPlaceholder)]
    [InlineData("""{"Version":"2012-10-17","Id":"{{organizationId}}","Statement":[GOOD]}""", FindingCode.StrayBrace)]
    [InlineData("""{"Statement":[GOOD]}""", FindingCode.Version)]
    [InlineData("""{"Version":"2012-10-17"}""", FindingCode.NothingAllowed)]
    [InlineData("""{"Version":"2012-10-17","Statement":[]}""", FindingCode.NothingAllowed)]
    [InlineData("""{"Version":"2012-10-17","Statement":["x",GOOD]}""", FindingCode.MemberType)]
    public void Parse_DocumentThatIsNoPolicy_IsRefused(string text, string code) =>
        Assert.Contains(code, Templates.Codes(text.Replace("GOOD", Good, StringComparison.Ordinal), Templates.Wide));

    [Theory]
    [InlineData("""{"effect":"Allow","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*"}""", FindingCode.UnknownMember)]
    [InlineData("""{"Effect":"allow","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*"}""", FindingCode.Effect)]
    [InlineData("""{"Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*"}""", FindingCode.Effect)]
    [InlineData("""{"Effect":"Allow","Principal":"*","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*"}""", FindingCode.UnknownMember)]
    [InlineData("""{"Effect":"Allow","Action":"iot:Publish","Resource":[]}""", FindingCode.EmptyList)]
    [InlineData("""{"Effect":"Allow","Action":[],"Resource":"§topic/t/{organizationId}/*"}""", FindingCode.EmptyList)]
    [InlineData("""{"Effect":"Allow","Action":"iot:Publish"}""", FindingCode.MissingMember)]
    [InlineData("""{"Effect":"Allow","Resource":"§topic/t/{organizationId}/*"}""", FindingCode.MissingMember)]
    [InlineData("""{"Effect":"Allow","Action":"iot:Publish","Resource":{"a":"b"}}""", FindingCode.MemberType)]
    [InlineData("""{"Effect":"Allow","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*","Resource":"*"}""", FindingCode.DuplicateMember)]
    [InlineData("""{"Effect":"Deny","Action":"iot:Publish"}""", FindingCode.MissingMember)]
    [InlineData("""{"Effect":"Deny","Action":"iot:Publish","NotAction":"iot:Connect","Resource":"*"}""", FindingCode.ConflictingMembers)]
    [InlineData("""{"Effect":"Deny","Action":"iot:Publish","Resource":"${aws:username}"}""", FindingCode.PolicyVariable)]
    [InlineData("""{"Sid":"a b","Effect":"Deny","Action":"iot:Publish","Resource":"*"}""", FindingCode.Sid)]
    [InlineData("""{"Sid":"{organizationId}","Effect":"Deny","Action":"iot:Publish","Resource":"*"}""", FindingCode.Sid)]
    [InlineData("""{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":"x"}}""", FindingCode.MemberType)]
    [InlineData("""{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"a":"1","a":"2"}}}""", FindingCode.DuplicateMember)]
    [InlineData("""{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"{organizationId}":"x"}}}""", FindingCode.UnknownPlaceholder)]
    [InlineData("""{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":null}}}""", FindingCode.MemberType)]
    [InlineData("""{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NumericLessThan":{"aws:MultiFactorAuthAge":{"a":7}}}}""", FindingCode.MemberType)]
    [InlineData("""{"Effect":"Deny","Action":"*","Resource":"*","Condition":7}""", FindingCode.MemberType)]
    [InlineData("""{"Effect":"Deny","Action":7,"Resource":"*"}""", FindingCode.MemberType)]
    [InlineData("""{"Sid":7,"Effect":"Deny","Action":"*","Resource":"*"}""", FindingCode.Sid)]
    [InlineData("""{"Effect":"Allow","Action":["iot:Publish","iot:Connect"],"Resource":"§topic/u/{organizationId}/*"}""", FindingCode.Inert)]
    [InlineData("""{"Effect":"Allow","Action":"iot:Publish","Resource":["§topic/t/{organizationId}/*","§client/{organizationId}"]}""", FindingCode.Inert)]
    [InlineData("""{"Effect":"Allow","Action":"iot:Pub?ish","Resource":"§topic/t/{organizationId}/*"}""", FindingCode.Action)]
    [InlineData("""{"Effect":"Allow","Action":"*","Resource":"§topic/t/{organizationId}/*"}""", FindingCode.Action)]
    [InlineData("""{"Effect":"Allow","Action":"iot:AttachPolicy","Resource":"§topic/t/{organizationId}/*"}""", FindingCode.Action)]
    public void Parse_StatementThatIsNone_IsRefused(string statement, string code) =>
        Assert.Contains(code, Templates.Codes(Templates.Document(Good, statement), Templates.Wide));

    /// <summary>Each is valid JSON, and STS answers MalformedPolicyDocument.</summary>
    [Theory]
    [InlineData("\"Condition\":{\"StringEqual\":{\"aws:PrincipalTag/a\":\"b\"}}", "Condition", "Statement[1].Condition.StringEqual ", "\"StringEquals\"")]
    [InlineData("\"Condition\":{\"StringEqualsIfExist\":{\"aws:PrincipalTag/a\":\"b\"}}", "Condition", "StringEqualsIfExist", "\"StringEqualsIfExists\"")]
    [InlineData("\"Condition\":{\"ForAllValue:StringLike\":{\"aws:TagKeys\":\"b\"}}", "Condition", "ForAllValue", "\"ForAllValues:StringLike\"")]
    [InlineData("\"Condition\":{\"StringLike:ForAnyValue\":{\"aws:TagKeys\":\"b\"}}", "Condition", "Condition.StringLike:ForAnyValue")]
    [InlineData("\"Condition\":{\"NullIfExists\":{\"aws:TagKeys\":\"true\"}}", "Condition", "Condition.NullIfExists", "Null, which asks")]
    [InlineData("\"Condition\":{\"ForAnyValue:nullifexists\":{\"aws:TagKeys\":\"true\"}}", "Condition", "has no IfExists")]
    [InlineData("\"Condition\":{\"Equals\":{\"aws:TagKeys\":\"true\"}}", "Condition", "Condition.Equals")]
    [InlineData("\"Sid\":\"Publish\"", FindingCode.Sid, "Statement[1].Sid `Publish` is also that of Statement[0]")]
    [InlineData("\"Action\":\"Publish\"", FindingCode.Action, "Statement[1].Action `Publish` is no action", "SERVICE:NAME")]
    [InlineData("\"Action\":[\"iot:Publish\",\"iot:x:Publish\"]", FindingCode.Action, "Statement[1].Action[1] `iot:x:Publish`", "one colon")]
    [InlineData("\"Action\":\"\"", FindingCode.Action, "Statement[1].Action ``")]
    [InlineData("\"Action\":\":Publish\"", FindingCode.Action, "Statement[1].Action")]
    [InlineData("\"Action\":\"iot:\"", FindingCode.Action, "Statement[1].Action")]
    [InlineData("\"Action\":\"iot*:Publish\"", FindingCode.Action, "Statement[1].Action")]
    [InlineData("\"Action\":\"{region}:Publish\"", FindingCode.Action, "Statement[1].Action")]
    [InlineData("\"NotAction\":\"\"", FindingCode.Action, "Statement[1].NotAction ``")]
    [InlineData("\"NotAction\":[\"iot:*\",\"a b:c\"]", FindingCode.Action, "Statement[1].NotAction[1] `a b:c`")]
    [InlineData("\"Resource\":\"topic/{organizationId}/admin/#\"", FindingCode.ArnShape, "Statement[1].Resource `topic/", "write an ARN")]
    [InlineData("\"Resource\":\"\"", FindingCode.ArnShape, "Statement[1].Resource ``")]
    [InlineData("\"Resource\":\"arn:aws\"", FindingCode.ArnShape, "Statement[1].Resource `arn:aws`")]
    [InlineData("\"Resource\":\"ARN:aws:iot:r:1:topic/x\"", FindingCode.ArnShape, "Statement[1].Resource `ARN:")]
    [InlineData("\"Resource\":\"arn:awss:iot:*:*:topic/x\"", FindingCode.ArnShape, "has `awss` as its partition")]
    [InlineData("\"Resource\":\"arn:aws*:iot:*:*:topic/x\"", FindingCode.ArnShape, "has `aws*` as its partition")]
    [InlineData("\"Resource\":\"arn:{region}:iot:*:*:topic/x\"", FindingCode.ArnShape, "has `{region}` as its partition")]
    [InlineData("\"Resource\":\"arn::iot:*:*:topic/x\"", FindingCode.ArnShape, "has `` as its partition")]
    [InlineData("\"Resource\":\"arn:{partition}:*:*:*:topic/x\"", FindingCode.ArnShape, "has `*` as its service")]
    [InlineData("\"NotResource\":\"\"", FindingCode.ArnShape, "Statement[1].NotResource ``")]
    [InlineData("\"NotResource\":[\"*\",\"arn:aws:iot\"]", FindingCode.ArnShape, "Statement[1].NotResource[1] `arn:aws:iot`")]
    [InlineData("\"Condition\":{\"DateLessThan\":{\"aws:CurrentTime\":\"nonsense\"}}", "Condition", "DateLessThan.aws:CurrentTime is no date", "2026-")]
    [InlineData("\"Condition\":{\"DateEquals\":{\"aws:CurrentTime\":[\"2026\",\"2026-13\"]}}", "Condition", "DateEquals.aws:CurrentTime[1]")]
    [InlineData("\"Condition\":{\"DateEquals\":{\"aws:CurrentTime\":\"2026-07-*\"}}", "Condition", "DateEquals.aws:CurrentTime")]
    [InlineData("\"Condition\":{\"ForAnyValue:DateNotEquals\":{\"a:b\":\"2026-07-32\"}}", "Condition", "ForAnyValue:DateNotEquals.a:b")]
    [InlineData("\"Condition\":{\"DateGreaterThanIfExists\":{\"a:b\":\"2026-07-01T24:00Z\"}}", "Condition", "DateGreaterThanIfExists.a:b")]
    [InlineData("\"Condition\":{\"DateGreaterThan\":{\"a:b\":\"{region}\"}}", "Condition", "DateGreaterThan.a:b")]
    [InlineData("\"Condition\":{\"DateGreaterThan\":{\"a:b\":1.5}}", "Condition", "DateGreaterThan.a:b")]
    [InlineData("\"Condition\":{\"DateGreaterThan\":{\"a:b\":true}}", "Condition", "DateGreaterThan.a:b")]
    [InlineData("\"Condition\":{\"DateGreaterThan\":{\"a:b\":\"\"}}", "Condition", "DateGreaterThan.a:b")]
    public void Parse_StatementThatStsRefuses_IsRefused(string members, string code, params string[] words)
    {
        Templates.Parse(Templates.Document(Named, Deny(members)), Templates.Wide, out var findings);

        var finding = Assert.Single(findings);
        Assert.Equal(code, finding.Code);
        Assert.All(words, word => Assert.Contains(word, finding.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"Condition\":{\"StringLike\":{\"aws:PrincipalTag/a\":[1,true,\"{organizationId}*\"]},\"Null\":{\"aws:SourceIp\":\"TRUE\"}}")]
    [InlineData("\"Condition\":{\"ForAllValues:StringNotEqualsIgnoreCaseIfExists\":{\"aws:TagKeys\":[\"a\",\"b\"]},\"BinaryEquals\":{\"a:b\":\"QmluYXJ5\"}}")]
    [InlineData("\"Condition\":{\"ForAnyValue:ArnLike\":{\"iot:Certificate.Subject.CommonName\":\"a\"},\"DateLessThan\":{\"aws:CurrentTime\":\"2026-07\"}}")]
    [InlineData("\"Sid\":\"publish\"")]
    [InlineData("\"Action\":[\"*:*\",\"iot:*\",\"s3:Get?bject\",\"execute-api:{region}\"]")]
    [InlineData("\"NotAction\":[\"*\",\"iot:Publish\"],\"NotResource\":[\"*\",\"arn:*:iot:*\"]")]
    [InlineData("\"Resource\":[\"arn:{partition}:iot:*:*:topic/a:b/*\",\"arn:aws-cn:s3:::b\",\"arn:aws:iot:{region}:{accountId}:*\"]")]
    [InlineData("\"Condition\":{\"DateLessThan\":{\"a:b\":[\"2026\",\"2026-07\",\"2026-07-31\",\"2026-07-31T23:59Z\",\"1767225600\",1767225600]}}")]
    [InlineData("\"Condition\":{\"DateLessThanIfExists\":{\"a:b\":[\"2026-07-31T23:59:59Z\",\"2026-07-31t23:59:59.25+09:30\"]}}")]
    [InlineData("\"Sid\":\"\"")]
    public void Parse_StatementThatStsTakes_IsAccepted(string members)
    {
        Assert.NotNull(Templates.Parse(Templates.Document(Named, Deny(members)), Templates.Wide, out var findings));
        Assert.Empty(findings);
    }

    /// <summary>A Deny that denies nothing, or that IAM may refuse. It does not break isolation, but its author believes that it is in force.</summary>
    [Theory]
    [InlineData("\"Action\":\"iot:Pubish\"", FindingCode.Inert, "Statement[1].Action denies `iot:Pubish`", "\"iot:Publish\"")]
    [InlineData("\"Action\":[\"iot:*\",\"iotjobsdata:GetPendingJobExecution\"]", FindingCode.Inert, "Statement[1].Action[1]", "JobExecutions\"")]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":\"§topics/{organizationId}/*\"", FindingCode.Inert, "Statement[1].Resource", "topic/…")]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":\"§topic\"", FindingCode.Inert, "Statement[1].Resource")]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":[\"§topic/a\",\"§client/a\"]", FindingCode.Inert, "Statement[1].Resource[1]", "no action")]
    [InlineData("\"Action\":[\"iot:Publish\",\"iot:Connect\"],\"Resource\":\"§topic/a\"", FindingCode.Inert, "denies `iot:Connect` on nothing")]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":\"§topic/{organizationId}/admin/#\"", FindingCode.FilterGrammar, "denies nothing", "`*`")]
    [InlineData("\"Action\":\"IOT:RECEIVE\",\"Resource\":\"arn:*:iot:*:*:topic/a/+/b\"", FindingCode.FilterGrammar, "Statement[1].Resource")]
    [InlineData("\"Condition\":{\"stringlike\":{\"a:b\":\"c\"}}", FindingCode.Condition, "Condition.stringlike is spelt `StringLike`")]
    [InlineData("\"Condition\":{\"forAllValues:StringLike\":{\"a:b\":\"c\"}}", FindingCode.Condition, "`ForAllValues:StringLike`")]
    [InlineData("\"Condition\":{\"BoolIfexists\":{\"a:b\":true}}", FindingCode.Condition, "`BoolIfExists`")]
    public void Parse_DenyOfLessThanItSays_IsAWarning(string members, string code, params string[] words)
    {
        Assert.NotNull(Templates.Parse(Templates.Document(Named, Deny(members)), Templates.Wide, out var findings));

        var finding = Assert.Single(findings);
        Assert.Equal((Severity.Warning, code), (finding.Severity, finding.Code));
        Assert.All(words, word => Assert.Contains(word, finding.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":[\"§topic/{organizationId}/admin/*\",\"arn:aws:iot:*:*:topic/?\"]")]
    [InlineData("\"Action\":[\"iot:Subscribe\",\"iot:Receive\"],\"Resource\":[\"§topicfilter/{organizationId}/+/x/#\",\"§topic/*\"]")]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":\"§*\"")]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":\"§t*/a\"")]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":[\"§client/a\",\"*\"]")]
    [InlineData("\"Action\":\"iot:Publish\",\"Resource\":\"arn:aws:s3:::b\"")]
    [InlineData("\"Action\":[\"iot:Pub*\",\"iot:CreateThing\",\"sts:AssumeRole\"],\"Resource\":\"§client/a\"")]
    [InlineData("\"NotAction\":\"iot:Pubish\",\"Resource\":\"§topics/a\"")]
    [InlineData("\"Action\":\"iot:Publish\",\"NotResource\":\"§topic/a/#\"")]
    public void Parse_DenyThatIsNotJudged_HasNoFinding(string members)
    {
        Assert.NotNull(Templates.Parse(Templates.Document(Named, Deny(members)), Templates.Wide, out var findings));
        Assert.Empty(findings);
    }

    private const string Named = """{"Sid":"Publish","Effect":"Allow","Action":"iot:Publish","Resource":"§topic/t/{organizationId}/*"}""";

    // A Deny statement with these members, and the others that it needs.
    private static string Deny(string members) => "{\"Effect\":\"Deny\"," + members
        + (members.Contains("Action\"", StringComparison.Ordinal) ? "" : ",\"Action\":\"*\"")
        + (members.Contains("Resource\"", StringComparison.Ordinal) ? "}" : ",\"Resource\":\"*\"}");

    [Theory]
    [InlineData("iot:Publish", @"§topic/t/{organizationId}\u002a", FindingCode.NotClosed)]
    [InlineData("iot:Publish", "§topic/t/{organizationId}{organizationId}/*", FindingCode.NotClosed)]
    [InlineData("iot:Publish", "§topic/t/{organizationId}{region}/*", FindingCode.NotClosed)]
    [InlineData("iot:Subscribe", "§topicfilter/t/{organizationId}#", FindingCode.NotClosed)]
    [InlineData("iot:Connect", "§client/{organizationId}_x", FindingCode.NotClosed)]
    [InlineData("iot:Publish", "§topic/t?/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Subscribe", "§topicfilter/#/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Publish", "§topic/{region}/{organizationId}/*", FindingCode.PlaceholderInResource)]
    [InlineData("iot:Publish", "§topic/t/{organizationId}/{region}", FindingCode.PlaceholderInResource)]
    [InlineData("iot:Publish", "§topic/t/{organizationId}/+/x", FindingCode.FilterGrammar)]
    [InlineData("iot:Subscribe", "§topicfilter/t/{organizationId}/#/x", FindingCode.FilterGrammar)]
    [InlineData("iot:Subscribe", "§topicfilter/t/{organizationId}/x+", FindingCode.FilterGrammar)]
    [InlineData("iot:Subscribe", "§topicfilter/t/{organizationId}/x#", FindingCode.FilterGrammar)]
    [InlineData("iot:Subscribe", "§topicfilter/t/{organizationId}:+/x", FindingCode.FilterGrammar)]
    [InlineData("iot:Publish", "§topic/$aws/rules/{organizationId}/*", FindingCode.OrganizationIsRuleName)]
    [InlineData("iot:Publish", "§topic/$aws/rules/x{organizationId}/*", FindingCode.OrganizationIsRuleName)]
    [InlineData("iot:Publish", "§topic/$aws/rules//{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/x{organizationId}/*", FindingCode.OrganizationIsShareGroup)]
    [InlineData("iot:Subscribe", "§topicfilter/$share//{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/*/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/g*/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/?/t/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/+/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/#/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/{region}/{organizationId}/*", FindingCode.PlaceholderInResource)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/g-{accountId}/t/{organizationId}", FindingCode.PlaceholderInResource)]
    [InlineData("iot:Subscribe", "§topicfilter/$share/g/$aws/things/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Publish", "§topic/$share/g/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Receive iot:Publish", "§topic/$share/g/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:GetRetainedMessage", "§topic/$share/g/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Receive", "§topic/$share/*/t/{organizationId}/*", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Receive", "§topic/$share/{organizationId}/*", FindingCode.OrganizationIsShareGroup)]
    [InlineData("iot:Publish", "§topic/$aws/rules/r/t/*/{organizationId}", FindingCode.WildcardBeforeOrganization)]
    [InlineData("iot:Publish", "§topic/$aws/events/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Publish", "§topic/$aws/thing{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Publish", "§topic/t/$/{organizationId}/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Publish", "§topic/$aws/things/$x-{organizationId}/shadow/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Publish", "§topic/t/{organizationId}/$x", FindingCode.ReservedTopic)]
    [InlineData("iot:Publish", "§topic/{organizationId}$aws/things/*", FindingCode.ReservedTopic)]
    [InlineData("iot:Publish", "§topic/$aws/rules/r/t/{organizationId}/$aws/things/x/shadow/update", FindingCode.ReservedTopic)]
    [InlineData("iot:Subscribe", "§topicfilter/status/+/{organizationId}/$x", FindingCode.ReservedTopic)]
    [InlineData("iot:Connect", "§client/{organizationId}$*", FindingCode.ReservedTopic)]
    [InlineData("iot:Connect", "§client/$x{organizationId}", FindingCode.ReservedTopic)]
    [InlineData("iot:GetThingShadow", "§thing/x/{organizationId}", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "§topic", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "§Topic/t/{organizationId}/*", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "§job/t/{organizationId}/*", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "arn:aws:iot:*:{accountId}:topic/t/{organizationId}/*", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "arn:aws:iot:{region}:*:topic/t/{organizationId}/*", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "arn:aws*:iot:{region}:{accountId}:topic/t/{organizationId}/*", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "arn:aws:iot:{organizationId}:{accountId}:topic/t/*", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "arn:aws:iot::{accountId}:topic/t/{organizationId}/*", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "arn:aws:iot:{region}:{region}:topic/t/{organizationId}/*", FindingCode.ArnShape)]
    [InlineData("iot:Publish", "*", FindingCode.NoOrganization)]
    public void Parse_ResourceThatIsNotOneOrganizations_IsRefused(string action, string resource, string code) =>
        Assert.Contains(code, Templates.Codes(Templates.Allow(action, resource), Templates.Wide));

    [Theory]
    [InlineData("IOT:PUBLISH", "§topic/t/{organizationId}/*")]
    [InlineData("iot:Publish", "arn:aws-cn:iot:cn-north-1:111122223333:topic/t/{organizationId}/{organizationId}/?")]
    [InlineData("iot:Publish", "§topic/$aws/rules/forward/{organizationId}/*")]
    [InlineData("iot:Subscribe", "§topicfilter/$share/g/t/{organizationId}/*")]
    [InlineData("iot:RECEIVE", "§topic/$share/g/t/{organizationId}/*")]
    [InlineData("iot:Subscribe", "§topicfilter/t/{organizationId}/+/x/#")]
    [InlineData("iot:Publish iot:Receive iot:RetainPublish iot:GetRetainedMessage", "§topic/{organizationId}")]
    [InlineData("iot:DeleteThingShadow", "§thing/{organizationId}")]
    [InlineData("iot:Publish", "§topic/$aws/things/{organizationId}:*/shadow/name/$package/*")]
    [InlineData("iot:Subscribe", "§topicfilter/$aws/things/{organizationId}:*/shadow/name/$package/#")]
    [InlineData("iot:GetThingShadow", "§thing/{organizationId}:*/$package")]
    public void Parse_ResourceOfOneOrganization_IsAccepted(string actions, string resource) =>
        Assert.Empty(Templates.Codes(Templates.Allow(actions, resource), Templates.Wide));

    [Fact]
    public void Parse_SeveralMistakes_AreAllFoundInTheOrderOfTheFile()
    {
        const string Text = """
            {"Version":"2008-10-17","Statement":[{"Sid":"One","Effect":"Allow","Action":["iot:*","iot:Publish"],
            "Resource":["§topic/*/{organizationId}*","§topic/x"]}]}
            """;
        string[] expected =
        [
            FindingCode.Version, FindingCode.Action, FindingCode.WildcardBeforeOrganization, FindingCode.NotClosed, FindingCode.NoOrganization,
        ];
        Assert.Equal(expected, Templates.Codes(Text, Templates.Wide));
        Templates.Parse(Text, Templates.Wide, out var once);
        Templates.Parse(Text, Templates.Wide, out var again);
        Assert.Equal(once, again);
        Assert.StartsWith("Statement[0].Action[0] (Sid One) allows `iot:*`", once[1].Message, StringComparison.Ordinal);
        Assert.Contains("organization `-` could publish to `", once[3].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\n\"Version\":\"2012-10-17\",}", "no comma before } or ]: see line 2, byte 24.")]
    [InlineData("{ // a\n}", "no comments")]
    [InlineData("{\"Version\":", "see line 1, byte 12.")]
    [InlineData("{\0\"\0", "save it as UTF-8")]
    [InlineData("\0{\0\"", "save it as UTF-8")]
    public void Parse_FileThatIsNoJson_IsToldInOwnWords(string text, string words)
    {
        Assert.Null(Templates.Parse(text, Templates.Wide, out var findings));

        var finding = Assert.Single(findings);
        Assert.Equal(FindingCode.NotJson, finding.Code);
        Assert.Contains(words, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("reader", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_InvalidUtf8_IsRefused()
    {
        Assert.Null(SessionPolicyTemplate.Parse([(byte)'{', (byte)'}', 0xff], Templates.Wide, SharedTopics.None, Templates.Wide.Values("a"), out var findings));
        Assert.Equal(FindingCode.NotJson, Assert.Single(findings).Code);
    }

    [Fact]
    public void Parse_WorstCaseLength_IsAtMost2048()
    {
        string Text(int padding) => $"  {Templates.Document(Good, Deny($"\"Action\":\"iot:x{new string('x', padding)}\""))}\n";
        var shortest = Templates.Parse(Text(0), Templates.Wide, out _)!.WorstCaseLength;
        var longest = Templates.Parse(Text(2048 - shortest), Templates.Wide, out var none);
        Assert.Empty(none);
        Assert.Equal(2048, longest!.WorstCaseLength);
        Assert.Equal(2048, longest.Render(new TemplateValues(Templates.Wide.LongestId, "111122223333", "ap-northeast-1", "aws-us-gov")).Length);
        Assert.Equal([FindingCode.Length], Templates.Codes(Text(2049 - shortest), Templates.Wide));
    }

    [Fact]
    public void Parse_HugeFile_IsRefusedUnread() =>
        Assert.Equal([FindingCode.Length], Templates.Codes(new string(' ', 20_000) + Templates.Document(Good), Templates.Wide));

    [Fact]
    public void Render_IsMinifiedAndEscapesNothing()
    {
        var punctuation = string.Concat(
            Enumerable.Range(0x20, 0x5f).Select(code => (char)code).Where(character => character is not ('"' or '\\' or '{' or '}')));
        var text = $$"""
            {
              "Version" : "2012-10-17", "Id": "{{punctuation}}",
              "Statement" : { "Effect": "Allow", "Action": "iot\u003aPublish", "Resource": "§topic/t/{organizationId}/\u002a",
                "Condition": { "Bool": { "aws:SecureTransport": true },
                  "StringEquals": { "aws:PrincipalTag/organization": ["{organizationId}", "{region}"] } } }
            }
            """;
        var template = Templates.Parse(text, Templates.Wide, out var findings);
        Assert.Empty(findings);
        Assert.Equal(
            $$$"""{"Version":"2012-10-17","Id":"{{{punctuation}}}","Statement":"""
            + """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:ap-northeast-1:111122223333:topic/t/o-1/*","""
            + """ "Condition":{"Bool":{"aws:SecureTransport":true},"StringEquals":{"aws:PrincipalTag/organization":["o-1","ap-northeast-1"]}}}}"""[1..],
            template!.Render(Templates.Wide.Values("o-1")));
    }

    [Fact]
    public void Render_ValueThatLooksLikeAPlaceholder_IsNotReplacedAgain()
    {
        var template = Templates.Parse(Templates.Document(Good), Templates.Wide, out _)!;
        var rendered = template.Render(new TemplateValues(new OrganizationId("{region}"), "{partition}", "{accountId}", "{organizationId}"));
        Assert.Contains("\"arn:{organizationId}:iot:{accountId}:{partition}:topic/t/{region}/*\"", rendered, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_ValueThatWouldEndAString_StaysInIt()
    {
        var template = Templates.Parse(Templates.Document(Good), Templates.Wide, out _)!;
        var rendered = template.Render(new TemplateValues(new OrganizationId("a\",\"*"), "1", "r", "aws"));
        Assert.Equal("t/a\",\"*/*", Assert.Single(Reach.Resources(rendered)).Pattern);
    }
}
