namespace Gateway.Configuration.Layers;

/// <summary>A piece of one layer's configuration.</summary>
/// <param name="Source">The file and line, the variable or the command line that says it.</param>
/// <param name="IsText">Whether it comes from a variable or the command line, where a list looks like an object with numbers for names.</param>
internal abstract record Node(string Source, bool IsText);

/// <summary>A section, or a list in a layer of text.</summary>
internal sealed record ObjectNode(string Source, bool IsText) : Node(Source, IsText)
{
    /// <summary>The section's keys, compared as <c>IConfiguration</c> does.</summary>
    public Dictionary<string, Node> Children { get; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>A list.</summary>
internal sealed record ListNode(string Source, bool IsText, IReadOnlyList<Node> Items) : Node(Source, IsText);

/// <summary>A single value.</summary>
internal sealed record ScalarNode(string Source, bool IsText, string Value) : Node(Source, IsText);

/// <summary>A <c>null</c>: what earlier layers said is unsaid.</summary>
internal sealed record NullNode(string Source) : Node(Source, false)
{
    /// <summary>Whether null is a value of its own here, rather than the lack of one.</summary>
    public bool IsValue { get; init; }
}
