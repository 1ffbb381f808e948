using Xunit;

namespace IotCredentials.Tests.Policies;

/// <summary>The template that operators start from.</summary>
public sealed class ShippedPolicyTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "organization.json"));

    [Fact]
    public void Render_IsWhatAwsIsSent()
    {
        var template = Templates.Parse(s_text, Templates.Prefixed, out var findings);
        Assert.Empty(findings);
        const string Arn = "arn:aws:iot:ap-northeast-1:111122223333:";
        Assert.Equal(
            $$$"""{"Version":"2012-10-17","Statement":[{"Sid":"Connect","Effect":"Allow","Action":"iot:Connect","Resource":"{{{Arn}}}client/o-acme-web-*"},"""
            + """{"Sid":"PublishAndReceive","Effect":"Allow","Action":["iot:Publish","iot:Receive"],"Resource":"""
            + $$$"""["{{{Arn}}}topic/o-acme/*","{{{Arn}}}topic/$aws/things/o-acme-*/shadow/*"]},"""
            + """{"Sid":"Subscribe","Effect":"Allow","Action":"iot:Subscribe","Resource":"""
            + $$$"""["{{{Arn}}}topicfilter/o-acme/*","{{{Arn}}}topicfilter/$aws/things/o-acme-*/shadow/*"]}]}""",
            template!.Render(Templates.Prefixed.Values("o-acme")));
    }

    [Theory]
    [InlineData("o-acme", "o-acme2")]
    [InlineData("o-a", "o-aweb")]
    [InlineData("o-a", "o-A")]
    [InlineData("o-o", "o-oo")]
    [InlineData("o-aws", "o-things")]
    [InlineData("o-web", "o-shadow")]
    public void Render_LookAlikeOrganizations_NeverMeet(string one, string other)
    {
        var template = Templates.Parse(s_text, Templates.Prefixed, out _)!;
        var (mine, theirs) =
            (Reach.Resources(template.Render(Templates.Prefixed.Values(one))), Reach.Resources(template.Render(Templates.Prefixed.Values(other))));
        Assert.Null(MeetingSearch.Find(mine, theirs));
        Assert.Null(MeetingSearch.Find(theirs, mine));
        Assert.NotNull(MeetingSearch.Find(mine, mine));
    }

    [Theory]
    [InlineData("o-acme/telemetry", true)]
    [InlineData("o-acme", true)]
    [InlineData("$aws/things/o-acme-a-24e124148b323456/shadow/update", true)]
    [InlineData("o-acme2/telemetry", false)]
    [InlineData("O-acme/telemetry", false)]
    [InlineData("x/o-acme/telemetry", false)]
    [InlineData("$aws/things/o-acme/shadow/get", false)]
    [InlineData("$aws/things/o-acme2-a/shadow/get", false)]
    [InlineData("$aws/events/presence/connected/o-acme-web-1", false)]
    public void Render_Topics_AreTheOrganizationsOwn(string topic, bool expected) =>
        Assert.Equal(expected, Resources("o-acme").Any(resource => !resource.IsClient && Reach.Reaches(resource, topic)));

    [Theory]
    [InlineData("o-acme-web-1", true)]
    [InlineData("o-acme-a-24e124148b323456", false)]
    [InlineData("o-acme2-web-1", false)]
    public void Render_ClientIds_AreTheOrganizationsWebClients(string clientId, bool expected) =>
        Assert.Equal(expected, Resources("o-acme").Any(resource => Reach.ReachesClient(resource, clientId)));

    private static IReadOnlyList<Reach.Resource> Resources(string organization) =>
        Reach.Resources(Templates.Parse(s_text, Templates.Prefixed, out _)!.Render(Templates.Prefixed.Values(organization)));
}
