using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>
/// Converts a configuration tree to the flat keys of <c>IConfiguration</c>, without the API keys: there may be a hundred thousand, and only the options are
/// read for them.
/// </summary>
internal sealed class Flattening
{
    /// <summary>Every value by its key.</summary>
    public Dictionary<string, string?> Values { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The source of each value, and of each section and list above it.</summary>
    public Dictionary<string, string> Sources { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Adds a value that is not part of a tree.</summary>
    public void Add(string key, string? value, string source)
    {
        Values[key] = value;
        Sources[key] = source;
    }

    /// <summary>Adds everything below a node. Empty lists and sections are written as ASP.NET Core's JSON provider writes them.</summary>
    public void Add(Node node, string path)
    {
        if (path.Length > 0) Sources[path] = node.Source;
        if (KeyPath.Equal(path, KeyPath.ApiKeys)) return;
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
