namespace Gateway.Configuration;

/// <summary>
/// Indexes the child names of each key. The framework's provider scans all keys for every section that is read, so binding thousands of organizations
/// would take minutes.
/// </summary>
internal sealed class ChildKeys
{
    private readonly Dictionary<string, HashSet<string>> _names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Indexes the given keys.</summary>
    public ChildKeys(IEnumerable<string> keys)
    {
        foreach (var key in keys) Add(key);
    }

    /// <summary>Returns the names below a key. For the root, these are the section names.</summary>
    public IEnumerable<string> Of(string? parentPath) => _names.GetValueOrDefault(parentPath ?? "") ?? [];

    private void Add(string key)
    {
        // If a name is already indexed, so are its parents.
        var isNew = true;
        for (var path = key; isNew && path.Length > 0;)
        {
            var end = path.LastIndexOf(':');
            var parent = end < 0 ? "" : path[..end];
            if (!_names.TryGetValue(parent, out var below)) _names[parent] = below = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            isNew = below.Add(path[(end + 1)..]);
            path = parent;
        }
    }
}
