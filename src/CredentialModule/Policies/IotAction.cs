namespace IotCredentials.Policies;

/// <summary>The types of AWS IoT resources that a session may be granted.</summary>
internal enum IotResourceType
{
    Client,
    Topic,
    TopicFilter,
    Thing,
}

/// <summary>
/// An action that a session may be granted. Any other would reach beyond what the rules check. docs/session-policies.md has AWS's page for each.
/// </summary>
/// <param name="Name">The action's name; IAM compares it ignoring case.</param>
/// <param name="Type">The type of resource that the action is about.</param>
/// <param name="Phrase">The action in words, for a finding.</param>
/// <param name="ReadsTopics">Whether the action only receives what others publish. Only such an action is allowed on a shared topic.</param>
internal sealed record IotAction(string Name, IotResourceType Type, string Phrase, bool ReadsTopics = false)
{
    /// <summary>All actions that a session may be granted.</summary>
    public static IReadOnlyList<IotAction> All { get; } =
    [
        new("iot:Connect", IotResourceType.Client, "connect as"),
        new("iot:DeleteConnection", IotResourceType.Client, "disconnect"),
        new("iot:GetConnection", IotResourceType.Client, "read the connection of"),
        new("iot:ListSubscriptions", IotResourceType.Client, "list the subscriptions of"),
        new("iot:Publish", IotResourceType.Topic, "publish to"),
        new("iot:Receive", IotResourceType.Topic, "receive on", ReadsTopics: true),
        new("iot:RetainPublish", IotResourceType.Topic, "publish retained messages to"),
        new("iot:GetRetainedMessage", IotResourceType.Topic, "read the retained message of", ReadsTopics: true),
        new("iot:Subscribe", IotResourceType.TopicFilter, "receive, by a subscription, on", ReadsTopics: true),
        new("iot:GetThingShadow", IotResourceType.Thing, "read the shadow behind"),
        new("iot:UpdateThingShadow", IotResourceType.Thing, "change the shadow behind"),
        new("iot:DeleteThingShadow", IotResourceType.Thing, "delete the shadow behind"),
        new("iot:ListNamedShadowsForThing", IotResourceType.Thing, "list the shadows of the thing behind"),
        // The names of AWS IoT Jobs' data plane in IAM, and its names in device policies.
        .. new[] { "iotjobsdata:", "iot:" }.SelectMany(prefix => new IotAction[]
        {
            new(prefix + "DescribeJobExecution", IotResourceType.Thing, "read a job of the thing behind"),
            new(prefix + "GetPendingJobExecutions", IotResourceType.Thing, "list the jobs of the thing behind"),
            new(prefix + "StartNextPendingJobExecution", IotResourceType.Thing, "start a job of the thing behind"),
            new(prefix + "UpdateJobExecution", IotResourceType.Thing, "change a job of the thing behind"),
        }),
    ];

    /// <summary>The action of that name; null if a session may not be granted it.</summary>
    public static IotAction? Find(string name) => All.FirstOrDefault(action => action.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
}

/// <summary>The spelling of the types in an ARN.</summary>
internal static class IotResourceTypes
{
    public static string Spell(this IotResourceType type) => type switch
    {
        IotResourceType.Client => "client",
        IotResourceType.Topic => "topic",
        IotResourceType.TopicFilter => "topicfilter",
        IotResourceType.Thing => "thing",
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    public static IotResourceType? Read(string? name) => name switch
    {
        "client" => IotResourceType.Client,
        "topic" => IotResourceType.Topic,
        "topicfilter" => IotResourceType.TopicFilter,
        "thing" => IotResourceType.Thing,
        _ => null,
    };
}
