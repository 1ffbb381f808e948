using Gateway.Configuration.Layers;

namespace Gateway.Configuration;

/// <summary>One layer of the configuration, as it was read: later ones win.</summary>
/// <param name="Name">The file, or the kind of source.</param>
/// <param name="Content">How many keys it says, or that it is not there.</param>
internal sealed record LayerRow(string Name, string Content)
{
    /// <summary>The layer that a source's keys are.</summary>
    public static LayerRow Of(string name, ObjectNode? layer)
    {
        if (layer is null) return new(name, "not there");
        var keys = new Flattening();
        keys.Add(layer, "");
        return new(name, keys.Values.Count switch { 0 => "no keys", 1 => "1 key", var count => $"{count} keys" });
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name} ({Content})";
}
