namespace IotCredentials.Policies;

/// <summary>The characters that can directly follow an id.</summary>
/// <param name="Literals">The possible characters.</param>
/// <param name="End">Whether the text can end there.</param>
/// <param name="Anything">Whether any character, and the end, is possible.</param>
internal sealed record Closer(string Literals, bool End, bool Anything)
{
    public bool Admits(char character) => Anything || Literals.Contains(character);

    public bool AdmitsEnd => Anything || End;

    public bool Meets(Closer other) => (AdmitsEnd && other.AdmitsEnd) || Literals.Any(other.Admits) || other.Literals.Any(Admits);
}

/// <summary>
/// A resource that is valid by itself. In every text that it covers, the organization's id is at a place that is known from the left, after a literal head, or
/// from the right, before a literal tail.
/// </summary>
/// <param name="Where">The resource's place in the template, for findings.</param>
/// <param name="Source">The ARN as it is written.</param>
/// <param name="Type">The resource's type.</param>
/// <param name="Head">The text before the organization, without the part that was cut off.</param>
/// <param name="Tail">The text after the organization.</param>
/// <param name="Action">The action of its statement that a finding mentions.</param>
internal sealed record IotResource(string Where, string Source, IotResourceType Type, string Head, string Tail, IotAction Action)
{
    /// <summary>The space of names in which the resource is compared with others.</summary>
    public IotSpace Space { get; init; } = Type switch
    {
        IotResourceType.Client => IotSpace.Clients,
        IotResourceType.Thing => IotSpace.Things,
        _ => IotSpace.Topics,
    };

    /// <summary>The fixed part of a reserved topic, which is not part of <see cref="Head"/>.</summary>
    public string Fixed { get; init; } = Type == IotResourceType.Thing ? ReservedTopics.ThingStart : "";

    /// <summary>Whether the id's place is known only from the right.</summary>
    public bool IsFromRight { get; init; }

    public bool IsClient => Type == IotResourceType.Client;

    /// <summary>The literal beginning of every text that the resource reaches.</summary>
    public string LiteralStart(OrganizationIdFormat ids) => IsFromRight ? Head[..Head.AsSpan().IndexOfAny(Wildcards)] : Head + ids.Prefix;

    /// <summary>Whether the id is the longest run of an id's characters before <see cref="Tail"/>.</summary>
    public bool IsKnownFromRight(OrganizationIdFormat ids) => IsFromRight || (IsLiteral(Tail) && HasOpener(ids));

    /// <summary>Whether no id can have begun before the place where this one begins.</summary>
    public bool HasOpener(OrganizationIdFormat ids) => ids.HasOneLength || Head.Length == 0 || !ids.MayHold(Head[^1]);

    /// <summary>The characters that can directly follow the id in the texts that the resource reaches.</summary>
    /// <param name="other">Another resource of the same space.</param>
    public Closer CloserTowards(IotResource other)
    {
        if (Tail.Length > 0 && Tail[0] is '*' or '?' or '{')
            return new Closer("", End: false, Anything: true);
        // A slash can follow the name of a thing or a client in the topics about it.
        var goesOn = Space == IotSpace.Things || (Space == IotSpace.Clients && !(IsClient && other.IsClient));
        if (Tail.Length == 0)
            return new Closer(goesOn ? "/" : "", End: true, Anything: false);
        // MQTT: x/# also matches x.
        var endsInHash = Type == IotResourceType.TopicFilter && Tail[0] == '/' && Tail.Length > 1 && Tail[1] is '#' or '*' or '?';
        return new Closer(Tail[..1], endsInHash, Anything: false);
    }

    /// <summary>The pattern of the client ids that a client resource covers for one organization.</summary>
    public Glob ClientIds(OrganizationId organization) => Glob.Of(Render(organization));

    /// <summary>Patterns of topics that the resource reaches for one organization: its own, or those about the thing or client that it covers.</summary>
    public IEnumerable<Glob> Topics(OrganizationId organization)
    {
        var name = Render(organization);
        return Type switch
        {
            IotResourceType.Client => ReservedTopics.OfClients.Select(topics => Glob.Of(topics.Start + name + topics.Rest)),
            IotResourceType.TopicFilter => [Glob.OfFilter(Fixed + name)],
            IotResourceType.Thing => [Glob.OfThing(Fixed, name)],
            _ => [Glob.Of(Fixed + name)],
        };
    }

    private string Render(OrganizationId organization) =>
        Head + organization.Value + Tail.Replace(TemplateText.OrganizationPlaceholder, organization.Value, StringComparison.Ordinal);

    /// <summary>IAM's wildcards and MQTT's.</summary>
    public const string Wildcards = "*?+#";

    public static bool IsLiteral(string text) => text.AsSpan().IndexOfAny(Wildcards) < 0 && !text.Contains('{');
}
