namespace CredentialModule.Policies;

/// <summary>A resource that was found good by itself: a literal head, the organization, a closer, and then anything.</summary>
/// <param name="Where">Where it stands, for findings.</param>
/// <param name="Source">The ARN as it is written.</param>
/// <param name="Type">What it names.</param>
/// <param name="Head">The literal before the organization, without a share group.</param>
/// <param name="Tail">What follows the organization.</param>
/// <param name="Action">The action of its statement that a finding speaks of.</param>
internal sealed record IotResource(string Where, string Source, IotResourceType Type, string Head, string Tail, IotAction Action)
{
    /// <summary>Stands for the end of the text among <see cref="Closers"/>: an id that nothing follows is closed as well.</summary>
    public const char End = '\0';

    private const string ShadowTopics = "$aws/things/";

    /// <summary>Whether the resource is about client ids; all others are about topics, since a shadow and a filter are reached through them.</summary>
    public bool IsClient => Type == IotResourceType.Client;

    /// <summary>What stands before the id in every client id, or every topic, that the resource lets an organization reach.</summary>
    public string SpaceHead => Type == IotResourceType.Thing ? ShadowTopics + Head : Head;

    /// <summary>What stands right behind the id in every client id, or every topic, that the resource lets an organization reach.</summary>
    public IReadOnlyList<char> Closers => (Tail.Length == 0 ? End : Tail[0], Type) switch
    {
        (End, IotResourceType.Thing) => [End, '/'],
        ('/', IotResourceType.TopicFilter) => ['/', End], // MQTT: x/# receives x as well
        var (closer, _) => [closer],
    };

    /// <summary>What the resource covers for one organization, as a pattern of client ids or of topics.</summary>
    public Glob Render(OrganizationId organization)
    {
        var rest = organization.Value + Tail.Replace(TemplateText.OrganizationPlaceholder, organization.Value, StringComparison.Ordinal);
        return Type switch
        {
            IotResourceType.TopicFilter => Glob.OfFilter(Head + rest),
            IotResourceType.Thing => Glob.OfThing(ShadowTopics, Head + rest),
            _ => Glob.Of(Head + rest),
        };
    }
}
