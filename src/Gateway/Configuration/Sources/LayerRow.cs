using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>One layer of the configuration. Later layers override earlier ones.</summary>
/// <param name="Name">The file, or the kind of source.</param>
/// <param name="Content">The number of keys, or that the file is not there.</param>
internal sealed record LayerRow(string Name, string Content)
{
    /// <summary>Creates the row of a layer.</summary>
    public static LayerRow Of(string name, ObjectNode? layer)
    {
        if (layer is null) return new(name, "not there");
        return new(name, layer.Children.Values.Sum(ValuesIn) switch { 0 => "no keys", 1 => "1 key", var count => $"{count} keys" });
    }

    private static int ValuesIn(Node node) => node switch
    {
        ObjectNode { Children.Count: > 0 } section => section.Children.Values.Sum(ValuesIn),
        ListNode { Items.Count: > 0 } list => list.Items.Sum(ValuesIn),
        NullNode { IsValue: false } => 0,
        _ => 1,
    };

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Content})";
}
