using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Sources;

/// <summary>Builds a layer from full key paths.</summary>
internal sealed class TextTree(string source, FindingList findings)
{
    /// <summary>The layer.</summary>
    public ObjectNode Root { get; } = new(source, true);

    /// <summary>Sets a key. Its names are separated by <c>:</c>.</summary>
    public void Set(string key, string value, string keySource, bool mayRepeat)
    {
        var names = key.Split(':');
        if (!names.All(KeyPath.IsName))
        {
            findings.Error(key, keySource, "has an empty name in its path. Write the names of the sections with one separator between two.");
            return;
        }

        var section = Root;
        var path = "";
        foreach (var name in names[..^1])
        {
            if (!CheckCase(section, path, name, keySource)) return;
            path = KeyPath.Combine(path, name);
            if (!section.Children.TryGetValue(name, out var child)) section.Children[name] = child = new ObjectNode(keySource, true);
            if (child is not ObjectNode next)
            {
                findings.Error(path, keySource, $"is given both a value and keys below it ({key}). Remove one of the two.");
                return;
            }

            section = next;
        }

        if (!CheckCase(section, path, names[^1], keySource)) return;
        if (section.Children.TryGetValue(names[^1], out var present))
        {
            if (present is ObjectNode)
            {
                findings.Error(key, keySource, "is given both a value and keys below it. Remove one of the two.");
                return;
            }

            if (!mayRepeat)
            {
                findings.Error(key, keySource, $"is given twice, by {present.Source} too. Remove one of the two.");
                return;
            }
        }

        section.Children[names[^1]] = new ScalarNode(keySource, true, value);
    }

    private bool CheckCase(ObjectNode section, string path, string name, string keySource)
    {
        var other = section.Children.Keys.FirstOrDefault(present => KeyPath.DifferByCaseOnly(path, present, name));
        if (other is null) return true;
        findings.Error(KeyPath.Combine(path, name), keySource, KeyPath.CaseMessage(other, name));
        return false;
    }
}
