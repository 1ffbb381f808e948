namespace CredentialModule.Policies;

/// <summary>What is compared with each other: the names behind ids of clients, things and topics are apart.</summary>
internal enum IotSpace
{
    Topics,
    Things,
    Clients,
}

/// <summary>
/// How AWS's topics of one thing or one client begin; its name follows. None of the beginnings begins another one.
/// docs/session-policies.md has AWS's page for each.
/// </summary>
/// <param name="Start">The fixed part, with the slash before the name.</param>
/// <param name="Of">Whose topics they are.</param>
/// <param name="NameIsLevel">Whether the organization has to stand in the level behind the fixed part.</param>
internal sealed record ReservedTopics(string Start, IotSpace Of, bool NameIsLevel)
{
    /// <summary>How the topics begin that a thing's shadows and jobs have.</summary>
    public const string ThingStart = "$aws/things/";

    public static IReadOnlyList<ReservedTopics> All { get; } =
    [
        new(ThingStart, IotSpace.Things, NameIsLevel: false),
        new("$aws/commands/things/", IotSpace.Things, NameIsLevel: true),
        new("$aws/events/thing/", IotSpace.Things, NameIsLevel: true),
        new("$aws/events/thingTypeAssociation/thing/", IotSpace.Things, NameIsLevel: true),
        new("$aws/commands/clients/", IotSpace.Clients, NameIsLevel: true),
        new("$aws/events/presence/connected/", IotSpace.Clients, NameIsLevel: false),
        new("$aws/events/presence/disconnected/", IotSpace.Clients, NameIsLevel: false),
        new("$aws/events/presence/connect_failed/", IotSpace.Clients, NameIsLevel: false),
        new("$aws/events/subscriptions/subscribed/", IotSpace.Clients, NameIsLevel: false),
        new("$aws/events/subscriptions/unsubscribed/", IotSpace.Clients, NameIsLevel: false),
    ];

    /// <summary>The topics that a text begins like; null when there are none.</summary>
    public static ReservedTopics? StartOf(string head) => All.FirstOrDefault(topics => head.StartsWith(topics.Start, StringComparison.Ordinal));
}
