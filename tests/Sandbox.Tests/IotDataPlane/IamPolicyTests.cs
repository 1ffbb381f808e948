using Sandbox.IotDataPlane;
using Xunit;

namespace Sandbox.Tests.IotDataPlane;

public sealed class IamPolicyTests
{
    private const string Own = "arn:aws:iot:r:111122223333:topic/o-a/x";

    private static readonly IamContext s_context = new(
        "client*1", "203.0.113.7", new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["organizationId"] = "o-a" });

    public static TheoryData<string, bool> Statements => new()
    {
        // Actions: case does not count, wildcards do.
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"*"}""", true },
        { """{"Effect":"Allow","Action":"IOT:publish","Resource":"*"}""", true },
        { """{"Effect":"Allow","Action":"iot:Pub*","Resource":"*"}""", true },
        { """{"Effect":"Allow","Action":"iot:Publis?","Resource":"*"}""", true },
        { """{"Effect":"Allow","Action":"*","Resource":"*"}""", true },
        { """{"Effect":"Allow","Action":"iot:Receive","Resource":"*"}""", false },
        { """{"Effect":"Allow","Action":["iot:Receive","iot:Publish"],"Resource":"*"}""", true },
        { """{"Effect":"Allow","NotAction":"iot:Receive","Resource":"*"}""", true },
        { """{"Effect":"Allow","NotAction":["iot:Receive","iot:P*"],"Resource":"*"}""", false },
        // Resources: case counts, `*` covers slashes, `+` and `#` are themselves.
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/o-a/*"}""", true },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/*"}""", true },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/o-a?x"}""", true },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/O-A/*"}""", false },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/o-a/+"}""", false },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/o-a"}""", false },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:other:111122223333:topic/o-a/*"}""", false },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:444455556666:topic/o-a/*"}""", false },
        { """{"Effect":"Allow","Action":"iot:Publish","NotResource":"arn:aws:iot:r:111122223333:topic/o-b/*"}""", true },
        { """{"Effect":"Allow","Action":"iot:Publish","NotResource":"arn:aws:iot:r:111122223333:topic/o-a/*"}""", false },
        // Variables: the value is literal; one without a value matches nothing.
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/${aws:PrincipalTag/organizationId}/*"}""", true },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/${aws:principaltag/ORGANIZATIONID}/*"}""", true },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/${aws:PrincipalTag/other}/*"}""", false },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/${iot:ClientId}"}""", false },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/o-a/${*}"}""", false },
        { """{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:r:111122223333:topic/${iot:Unknown}*"}""", false },
        // Conditions.
        { Conditional("""{"StringEquals":{"aws:PrincipalTag/organizationId":"o-a"}}"""), true },
        { Conditional("""{"StringEquals":{"aws:PrincipalTag/organizationId":["o-b","o-a"]}}"""), true },
        { Conditional("""{"StringEquals":{"aws:PrincipalTag/organizationId":"O-A"}}"""), false },
        { Conditional("""{"StringEqualsIgnoreCase":{"aws:PrincipalTag/organizationId":"O-A"}}"""), true },
        { Conditional("""{"StringEquals":{"aws:PrincipalTag/organizationId":"o-*"}}"""), false },
        { Conditional("""{"StringLike":{"aws:PrincipalTag/organizationId":"o-*"}}"""), true },
        { Conditional("""{"StringNotLike":{"aws:PrincipalTag/organizationId":"o-*"}}"""), false },
        { Conditional("""{"StringNotEquals":{"aws:PrincipalTag/organizationId":"o-b"}}"""), true },
        { Conditional("""{"StringEquals":{"aws:PrincipalTag/none":"o-a"}}"""), false },
        { Conditional("""{"StringNotEquals":{"aws:PrincipalTag/none":"o-a"}}"""), true },
        { Conditional("""{"StringEqualsIfExists":{"aws:PrincipalTag/none":"o-a"}}"""), true },
        { Conditional("""{"StringEquals":{"iot:ClientId":"client*1"}}"""), true },
        { Conditional("""{"StringEquals":{"iot:ClientId":"client*1","aws:PrincipalTag/organizationId":"o-b"}}"""), false },
        { Conditional("""{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"""), true },
        { Conditional("""{"IpAddress":{"aws:SourceIp":"203.0.113.8"}}"""), false },
        { Conditional("""{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"""), false },
        { Conditional("""{"IpAddress":{"aws:SourceIp":"no address"}}"""), false },
        { Conditional("""{"Bool":{"aws:SecureTransport":true}}"""), true },
        { Conditional("""{"Bool":{"aws:SecureTransport":"false"}}"""), false },
        // Unknown elements deny.
        { Conditional("""{"DateLessThan":{"aws:CurrentTime":"2999-01-01T00:00:00Z"}}"""), false },
        { Conditional("""{"StringEquals":{"aws:UserAgent":"x"}}"""), false },
        { Conditional("""{"ForAllValues:StringEquals":{"aws:PrincipalTag/organizationId":"o-a"}}"""), false },
    };

    [Theory]
    [MemberData(nameof(Statements))]
    public void A_statement_applies_as_IAM_says(string statement, bool applies)
    {
        Assert.Equal(applies, Allows(statement));
        if (statement.Contains("Unknown", StringComparison.Ordinal) || statement.Contains("none", StringComparison.Ordinal)) return;

        // The same statement as a Deny takes away what it would have given.
        var deny = statement.Replace("\"Allow\"", "\"Deny\"", StringComparison.Ordinal);
        if (applies) Assert.False(Allows("""{"Effect":"Allow","Action":"*","Resource":"*"}""", deny));
    }

    [Theory]
    [InlineData("""{"DateLessThan":{"aws:CurrentTime":"2000-01-01T00:00:00Z"}}""")]
    [InlineData("""{"StringEquals":{"aws:UserAgent":"x"}}""")]
    [InlineData("""{"Null":{"aws:PrincipalTag/none":"true"}}""")]
    [InlineData("""{"ForAllValues:StringEquals":{"aws:PrincipalTag/none":"x"}}""")]
    [InlineData("""{"ArnNotLike":{"aws:PrincipalTag/none":"x"}}""")]
    [InlineData("""{"NumericNotEqualsIfExists":{"aws:PrincipalTag/none":"1"}}""")]
    public void A_Deny_with_an_unknown_condition_denies(string condition) => Assert.False(Allows(
        """{"Effect":"Allow","Action":"*","Resource":"*"}""", Conditional(condition).Replace("Allow", "Deny", StringComparison.Ordinal)));

    [Fact]
    public void Without_an_Allow_nothing_is_allowed() => Assert.False(Allows("""{"Effect":"Deny","Action":"iot:Connect","Resource":"*"}"""));

    [Fact]
    public void The_version_before_has_no_variables()
    {
        const string statement = """{"Effect":"Allow","Action":"*","Resource":"arn:aws:iot:r:111122223333:topic/${aws:PrincipalTag/organizationId}/x"}""";

        Assert.True(Allows(statement));
        Assert.False(IamPolicy.Parse($$"""{"Version":"2008-10-17","Statement":{{statement}}}""").Allows("iot:Publish", Own, s_context));
    }

    [Fact]
    public void A_pattern_of_many_wildcards_takes_no_time_that_matters()
    {
        var pattern = new IamPattern(string.Concat(Enumerable.Repeat("*a", 500)) + "b", hasVariables: false);

        Assert.False(pattern.Matches(new string('a', 2000), s_context));
    }

    private static string Conditional(string condition) => $$"""{"Effect":"Allow","Action":"iot:Publish","Resource":"*","Condition":{{condition}}}""";

    private static bool Allows(params string[] statements) => IamPolicy.Parse(DataPlane.Policy(statements)).Allows("iot:Publish", Own, s_context);
}
