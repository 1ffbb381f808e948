using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>
/// Makes the listeners of a later layer replace those of an earlier one, because Kestrel ignores <c>Urls</c> when <c>Kestrel:Endpoints</c> is set.
/// </summary>
internal static class ListenerLayers
{
    /// <summary>
    /// Removes <c>Urls</c> from the lower layers if the upper layer sets endpoints but not <c>Urls</c>. Setting both in one layer is an error.
    /// </summary>
    public static ObjectNode Below(ObjectNode lower, ObjectNode upper)
    {
        if (!lower.Children.ContainsKey("Urls") || upper.Children.ContainsKey("Urls") || !HasEndpoints(upper)) return lower;
        var kept = new ObjectNode(lower.Source, lower.IsText);
        foreach (var (name, node) in lower.Children)
            if (!KeyPath.Equal(name, "Urls")) kept.Children[name] = node;
        return kept;
    }

    private static bool HasEndpoints(ObjectNode layer) =>
        layer.Children.GetValueOrDefault("Kestrel") is ObjectNode kestrel
            && kestrel.Children.GetValueOrDefault("Endpoints") is ObjectNode { Children.Count: > 0 } endpoints
        && endpoints.Children.Values.Any(endpoint => endpoint is ObjectNode);
}
