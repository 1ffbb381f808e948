using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>Merges one layer over another.</summary>
internal static class LayerMerge
{
    /// <summary>Sections are merged by name. Any other value of the upper layer, including a list, replaces the lower value entirely.</summary>
    public static ObjectNode Merge(ObjectNode lower, ObjectNode upper, FindingList findings) => Merge(lower, upper, "", findings);

    private static ObjectNode Merge(ObjectNode lower, ObjectNode upper, string path, FindingList findings)
    {
        // If a file has the section, the section's source stays the file, even when a variable adds a key to it.
        var merged = upper.IsText && !lower.IsText ? new ObjectNode(lower.Source, false) : new ObjectNode(upper.Source, upper.IsText);
        foreach (var (name, node) in lower.Children) merged.Children[name] = node;
        var names = new HashSet<string>(lower.Children.Keys, StringComparer.OrdinalIgnoreCase);
        foreach (var (name, node) in upper.Children)
        {
            if (names.TryGetValue(name, out var present) && KeyPath.DifferByCaseOnly(path, present, name))
                findings.Error(KeyPath.Combine(path, name), node.Source, KeyPath.CaseMessage(present, name));
            if (node.IsAny && present is not null && lower.Children[present] is ListNode { IsAny: false } list)
                findings.Error(KeyPath.Combine(path, name), node.Source,
                    $"would lift what {list.Source} restricts. Name at least one value, or change the list there.");
            merged.Children[name] = present is not null && node is ObjectNode above && lower.Children[present] is ObjectNode below
                ? Merge(below, above, KeyPath.Combine(path, name), findings)
                : node;
        }

        return merged;
    }
}
