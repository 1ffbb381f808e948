namespace Gateway.Configuration.Tree;

/// <summary>A node in the tree of one configuration layer.</summary>
/// <param name="Source">The source: a file and line, a variable, or the command line.</param>
/// <param name="IsText">Whether the node comes from a variable or the command line. There, a list looks like an object with numbers for
/// names.</param>
internal abstract record Node(string Source, bool IsText)
{
    /// <summary>Whether the node spells out, in place of a list, that nothing is restricted.</summary>
    public bool IsAny { get; init; }

    /// <summary>The node at a path, or the nearest one above it.</summary>
    public Node Nearest(string path)
    {
        Node node = this;
        foreach (var name in path.Split(':'))
        {
            var below = node is ObjectNode section ? section.Children.GetValueOrDefault(name)
                : node is ListNode list && int.TryParse(name, out var index) ? list.Items.ElementAtOrDefault(index)
                : null;
            if (below is null) break;
            node = below;
        }

        return node;
    }
}

/// <summary>A section, or a list in a text layer.</summary>
internal sealed record ObjectNode(string Source, bool IsText) : Node(Source, IsText)
{
    /// <summary>The section's keys, compared as in <c>IConfiguration</c>.</summary>
    public Dictionary<string, Node> Children { get; } = new(StringComparer.OrdinalIgnoreCase);
}

/// <summary>A list.</summary>
internal sealed record ListNode(string Source, bool IsText, IReadOnlyList<Node> Items) : Node(Source, IsText);

/// <summary>A single value.</summary>
internal sealed record ScalarNode(string Source, bool IsText, string Value) : Node(Source, IsText);

/// <summary>A <c>null</c>. It removes the value of earlier layers.</summary>
internal sealed record NullNode(string Source) : Node(Source, false)
{
    /// <summary>Whether null is a value here, rather than the absence of one.</summary>
    public bool IsValue { get; init; }
}
