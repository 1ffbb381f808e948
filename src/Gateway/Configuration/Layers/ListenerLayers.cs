namespace Gateway.Configuration.Layers;

/// <summary>Lets the listeners of a later layer replace those of an earlier one: with <c>Kestrel:Endpoints</c> Kestrel ignores <c>Urls</c>.</summary>
internal static class ListenerLayers
{
    /// <summary>The lower layers without <c>Urls</c> where the upper layer says endpoints and no <c>Urls</c>. One layer that says both is an error.</summary>
    public static ObjectNode Below(ObjectNode lower, ObjectNode upper)
    {
        if (!lower.Children.ContainsKey("Urls") || upper.Children.ContainsKey("Urls") || !HasEndpoints(upper)) return lower;
        var kept = new ObjectNode(lower.Source, lower.IsText);
        foreach (var (name, node) in lower.Children)
            if (!KeyPath.Equal(name, "Urls")) kept.Children[name] = node;
        return kept;
    }

    private static bool HasEndpoints(ObjectNode layer) =>
        layer.Children.GetValueOrDefault("Kestrel") is ObjectNode kestrel && kestrel.Children.GetValueOrDefault("Endpoints") is ObjectNode { Children.Count: > 0 } endpoints
        && endpoints.Children.Values.Any(endpoint => endpoint is ObjectNode);
}
