namespace Gateway.Configuration.Layers;

/// <summary>Writes a configuration as the flat keys of <c>IConfiguration</c>.</summary>
internal sealed class Flattening
{
    /// <summary>Every value by its key.</summary>
    public Dictionary<string, string?> Values { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Where each value, and each section and list above it, was said.</summary>
    public Dictionary<string, string> Sources { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds a value that no tree holds.</summary>
    public void Add(string key, string? value, string source)
    {
        Values[key] = value;
        Sources[key] = source;
    }

    /// <summary>Adds all that is below a node. Empty lists and sections leave what ASP.NET Core's JSON provider leaves of them.</summary>
    public void Add(Node node, string path)
    {
        if (path.Length > 0) Sources[path] = node.Source;
        switch (node)
        {
            case ObjectNode section:
                if (section.Children.Count == 0 && path.Length > 0) Add(path, null, node.Source);
                foreach (var (name, child) in section.Children) Add(child, KeyPath.Combine(path, name));
                break;
            case ListNode list:
                if (list.Items.Count == 0) Add(path, "", node.Source);
                for (var index = 0; index < list.Items.Count; index++) Add(list.Items[index], KeyPath.Combine(path, KeyPath.Index(index)));
                break;
            case ScalarNode scalar:
                Add(path, scalar.Value, node.Source);
                break;
            case NullNode { IsValue: true }:
                Add(path, null, node.Source);
                break;
        }
    }
}
