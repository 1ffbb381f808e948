using System.Text.Json.Nodes;

namespace Testing;

/// <summary>How one organization reaches another by a template that is not safe.</summary>
public enum Crossing
{
    /// <summary>One connects with the other's client id, and so takes over its connection.</summary>
    Connect,

    /// <summary>One publishes to a topic that the other receives.</summary>
    Publish,

    /// <summary>One receives what the other publishes.</summary>
    Receive,

    /// <summary>One reads what the other has retained.</summary>
    Retained,

    /// <summary>One reads the shadow of the other's thing.</summary>
    Shadow,

    /// <summary>One feeds a rule with messages in the other's name.</summary>
    BasicIngest,
}

/// <summary>
/// Statements that the rules of session policies refuse, because added to the policy that ships they are a way from one organization to another. Ids are those
/// of the shipped configuration: <c>o-</c> and letters and digits.
/// </summary>
/// <param name="Code">The code of the refusal.</param>
/// <param name="From">The organization that takes the way.</param>
/// <param name="To">The organization that it reaches.</param>
/// <param name="Way">How.</param>
/// <param name="Name">The client id, topic or thing of <paramref name="To"/> that <paramref name="From"/> reaches.</param>
/// <param name="Statements">The statements. <c>§</c> stands for the common part of every ARN.</param>
public sealed record UnsafeTemplate(string Code, string From, string To, Crossing Way, string Name, params string[] Statements)
{
    private const string Arn = "arn:{partition}:iot:{region}:{accountId}:";

    /// <summary>The filter of the side that receives: <see cref="From"/> to receive, <see cref="To"/> to be published to. Default: the topic itself.</summary>
    public string? Filter { get; init; }

    /// <summary>The profile's <c>SharedTopics</c>.</summary>
    public IReadOnlyList<string> SharedTopics { get; init; } = [];

    /// <summary>The ways that lead from one organization to another, at least one for each code that stands for such a way.</summary>
    public static IReadOnlyList<UnsafeTemplate> All { get; } =
    [
        new("PolicyVariable", "o-a", "o-b", Crossing.Connect, "o-b-web-1", Allow("iot:Connect", "§client/${iot:ClientId}")),
        new("NotInAllow", "o-a", "o-b", Crossing.Publish, "o-b/x", """{"Effect":"Allow","Action":"iot:Publish","NotResource":"§topic/private/*"}"""),
        new("NotInAllow", "o-a", "o-b", Crossing.Connect, "o-b-web-1", """{"Effect":"Allow","NotAction":"iot:Publish","Resource":"*"}"""),
        new("Action", "o-a", "o-b", Crossing.Publish, "o-b/x", Allow("iot:*", "*")),
        new("ArnShape", "o-a", "o-b", Crossing.Publish, "o-b/x", Allow("iot:Publish", "§*")),
        new("NoOrganization", "o-a", "o-b", Crossing.Receive, "o-b/x", Allow("iot:Subscribe", "§topicfilter/*"), Allow("iot:Receive", "§topic/*"))
        {
            Filter = "+/x",
        },
        new("NoOrganization", "o-a", "o-b", Crossing.Connect, "o-b-web-1", Allow("iot:Connect", "§client/*")),
        new("NoOrganization", "o-a", "o-b", Crossing.Retained, "o-b/x",
            Allow("iot:RetainPublish", "§topic/{organizationId}/*"), Allow("iot:GetRetainedMessage", "§topic/*")),
        new("NoOrganization", "o-a", "o-b", Crossing.Shadow, "o-b-sensor", Allow("iot:GetThingShadow", "§thing/*")),
        new("NotClosed", "o-a", "o-ab", Crossing.Publish, "o-ab/x", Allow("iot:Publish", "§topic/{organizationId}*")),
        new("NotClosed", "o-a", "o-ab", Crossing.Connect, "o-ab-web-1", Allow("iot:Connect", "§client/{organizationId}*")),
        new("NotClosed", "o-a", "o-ab", Crossing.Shadow, "o-ab-sensor", Allow("iot:GetThingShadow", "§thing/{organizationId}*")),
        new("WildcardBeforeOrganization", "o-a", "o-b", Crossing.Publish, "o-b/o-a/x", Allow("iot:Publish", "§topic/*/{organizationId}/*")),
        new("OrganizationIsShareGroup", "o-a", "o-b", Crossing.Receive, "o-b/x",
            Allow("iot:Subscribe", "§topicfilter/$share/{organizationId}/*"), Allow("iot:Receive", "§topic/$share/{organizationId}/*"))
        {
            Filter = "$share/o-a/o-b/#",
        },
        new("ReservedTopic", "o-a", "o-b", Crossing.Receive, "o-b/x",
            Allow("iot:Subscribe", "§topicfilter/$share/*/{organizationId}/*", "§topicfilter/$share/{organizationId}/*"),
            Allow("iot:Receive iot:GetRetainedMessage", "§topic/$share/{organizationId}/*"))
        {
            Filter = "$share/o-a/o-b/#",
        },
        new("OrganizationIsRuleName", "o-a", "o-b", Crossing.BasicIngest, "$aws/rules/o-a/o-b/x",
            Allow("iot:Publish", "§topic/$aws/rules/{organizationId}/*")),
        new("Collision", "o-hub", "o-b", Crossing.Receive, "o-hub/o-b/x",
            Allow("iot:Publish iot:Receive", "§topic/o-hub/{organizationId}/*"), Allow("iot:Subscribe", "§topicfilter/o-hub/{organizationId}/*"))
        {
            Filter = "o-hub/#",
        },
        new("SharedTopicPublished", "o-a", "o-b", Crossing.Publish, "news/x",
            Allow("iot:Publish iot:Receive", "§topic/news/*"), Allow("iot:Subscribe", "§topicfilter/news/*"))
        {
            SharedTopics = ["§topic/news/*"],
        },
        new("SharedTopicOverlap", "o-a", "o-news", Crossing.Receive, "o-news/x",
            Allow("iot:Receive", "§topic/o-news/*"), Allow("iot:Subscribe", "§topicfilter/o-news/*"))
        {
            SharedTopics = ["§topic/o-news/*"],
        },
    ];

    /// <summary>The template: the statements behind those that ship, with placeholders.</summary>
    public string Text
    {
        get
        {
            var policy = JsonNode.Parse(File.ReadAllText(Path.Combine(Repository.Root, "appsettings", "policies", "organization.json")))!;
            foreach (var statement in Statements) policy["Statement"]!.AsArray().Add(JsonNode.Parse(statement.Replace("§", Arn, StringComparison.Ordinal)));
            return policy.ToJsonString();
        }
    }

    /// <summary>The template as it would be sent for an organization, although the gateway refuses it.</summary>
    public string Render(string organization) => Rendered(Text, organization);

    /// <summary>A template's placeholders replaced, without any rule.</summary>
    public static string Rendered(string template, string organization) => template
        .Replace("{partition}", "aws", StringComparison.Ordinal)
        .Replace("{region}", "ap-northeast-1", StringComparison.Ordinal)
        .Replace("{accountId}", "111122223333", StringComparison.Ordinal)
        .Replace("{organizationId}", organization, StringComparison.Ordinal);

    public override string ToString() => $"{Code}, {Way}: {string.Join(' ', Statements)}";

    private static string Allow(string actions, params string[] resources) =>
        $$"""{"Effect":"Allow","Action":[{{List(actions.Split(' '))}}],"Resource":[{{List(resources)}}]}""";

    private static string List(string[] items) => string.Join(',', items.Select(item => $"\"{item}\""));
}
