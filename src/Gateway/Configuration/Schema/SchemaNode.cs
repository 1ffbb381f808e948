namespace Gateway.Configuration.Schema;

/// <summary>The schema at one place of the configuration.</summary>
internal abstract record SchemaNode;

/// <summary>Any content, for a section that belongs to another library.</summary>
internal sealed record AnySchema : SchemaNode;

/// <summary>A section with known names.</summary>
internal sealed record ObjectSchema(IReadOnlyDictionary<string, Member> Members) : SchemaNode
{
    /// <summary>Creates a section with the given members.</summary>
    public ObjectSchema(IEnumerable<Member> members)
        : this(members.ToDictionary(member => member.Name, StringComparer.OrdinalIgnoreCase))
    {
    }

    /// <summary>Advice for a name that is similar to no known name. Default: none.</summary>
    public string? Otherwise { get; init; }
}

/// <summary>A section of another library that is only partly known. Any name is allowed, except one that is a likely typo of a known name.</summary>
/// <param name="Members">The known names.</param>
/// <param name="Other">The schema of all other names.</param>
internal sealed record OpenSchema(IReadOnlyDictionary<string, Member> Members, SchemaNode Other) : SchemaNode
{
    /// <summary>Creates a section with the given members, and a schema for other names.</summary>
    public OpenSchema(IEnumerable<Member> members, SchemaNode other)
        : this(members.ToDictionary(member => member.Name, StringComparer.OrdinalIgnoreCase), other)
    {
    }
}

/// <summary>A section whose names the operator chooses.</summary>
internal sealed record MapSchema(SchemaNode Value) : SchemaNode;

/// <summary>A list.</summary>
/// <param name="Item">The schema of its items.</param>
/// <param name="Empty">What it means without items.</param>
internal sealed record ListSchema(SchemaNode Item, EmptyList Empty = EmptyList.Error) : SchemaNode;

/// <summary>A known name in a section.</summary>
/// <param name="Name">The name, as documented.</param>
/// <param name="Schema">The schema of its value.</param>
/// <param name="NullIsValue">Whether <c>null</c> is a value here. Otherwise <c>null</c> only removes the value of earlier layers.</param>
/// <param name="NoEffect">The warning for a key that nothing reads, or null for a key that is read.</param>
internal sealed record Member(string Name, SchemaNode Schema, bool NullIsValue = false, string? NoEffect = null);
