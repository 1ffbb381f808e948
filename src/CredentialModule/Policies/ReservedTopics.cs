namespace IotCredentials.Policies;

/// <summary>The spaces of names. Resources are compared only within one space, because clients, things and topics have separate names.</summary>
internal enum IotSpace
{
    Topics,
    Things,
    Clients,
}

/// <summary>
/// The beginning of AWS's topics about one thing or one client, whose name follows. No beginning is the start of another. docs/session-policies.md has AWS's
/// page for each.
/// </summary>
/// <param name="Start">The fixed part, with the slash before the name.</param>
/// <param name="Of">The space of the name that follows.</param>
/// <param name="NameIsLevel">Whether the organization must be in the level after the fixed part.</param>
internal sealed record ReservedTopics(string Start, IotSpace Of, bool NameIsLevel)
{
    /// <summary>The beginning of the topics of a thing's shadows and jobs.</summary>
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

    private static readonly Glob[] s_streamRequests =
    [
        .. from request in (string[])["get", "describe"]
           from format in (string[])["json", "cbor"]
           select Glob.OfFilter($"+/streams/+/{request}/{format}"),
    ];

    /// <summary>Whether IAM's pattern behind <see cref="ThingStart"/> covers a topic on which a thing asks for the files of a stream.</summary>
    public static bool RequestsStream(string pattern)
    {
        // A wildcard before such a level covers `…/streams` too, and so a stream of that name. The documentation says to have none.
        if (pattern.Split('/') is [_, "shadow" or "jobs" or "tunnels" or "defender", ..]) return false;
        var covered = Glob.Of(pattern);
        return Array.Exists(s_streamRequests, request => covered.Intersect(request) is not null);
    }

    /// <summary>The topics about a client.</summary>
    public static IEnumerable<ReservedTopics> OfClients => All.Where(static topics => topics.Of == IotSpace.Clients);

    /// <summary>A pattern of the text that follows the name in the topics about a client.</summary>
    public string Rest => NameIsLevel ? "/executions/*" : "";

    /// <summary>The reserved topics whose beginning a text begins with; null if there are none.</summary>
    public static ReservedTopics? StartOf(string head) => All.FirstOrDefault(topics => head.StartsWith(topics.Start, StringComparison.Ordinal));
}
