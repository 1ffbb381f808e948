namespace Gateway.Configuration.Shapes;

/// <summary>What may be written at a place of the configuration.</summary>
internal abstract record Shape;

/// <summary>Anything: a section that belongs to others.</summary>
internal sealed record FreeShape : Shape;

/// <summary>A section whose names are known.</summary>
internal sealed record ObjectShape(IReadOnlyDictionary<string, Member> Members) : Shape
{
    /// <summary>A section of these members.</summary>
    public ObjectShape(IEnumerable<Member> members)
        : this(members.ToDictionary(member => member.Name, StringComparer.OrdinalIgnoreCase))
    {
    }

    /// <summary>What to do about a name that is near none of the known ones. Default: nothing that is not plain.</summary>
    public string? Otherwise { get; init; }
}

/// <summary>A section that belongs to others, as far as it is known: any name may stand there but one that a slip made of a known one.</summary>
/// <param name="Members">The known names.</param>
/// <param name="Other">What may be written under any other name.</param>
internal sealed record OpenShape(IReadOnlyDictionary<string, Member> Members, Shape Other) : Shape
{
    /// <summary>A section of these members, and of others.</summary>
    public OpenShape(IEnumerable<Member> members, Shape other)
        : this(members.ToDictionary(member => member.Name, StringComparer.OrdinalIgnoreCase), other)
    {
    }
}

/// <summary>A section whose names are the operator's.</summary>
internal sealed record MapShape(Shape Value) : Shape;

/// <summary>A list.</summary>
internal sealed record ListShape(Shape Item) : Shape;

/// <summary>A known name in a section.</summary>
/// <param name="Name">The name, as it is documented.</param>
/// <param name="Shape">What may be written there.</param>
/// <param name="NullIsValue">Whether <c>null</c> is a value there; elsewhere it only unsays earlier layers.</param>
/// <param name="NoEffect">What to say when it is written although nothing reads it; null when it is read.</param>
internal sealed record Member(string Name, Shape Shape, bool NullIsValue = false, string? NoEffect = null);
