namespace Gateway.Configuration;

/// <summary>
/// Which names stand below each key. The framework's provider looks through all keys for every section that is read,
/// so that thousands of organizations would take minutes to bind.
/// </summary>
internal sealed class ChildKeys
{
    private readonly Dictionary<string, HashSet<string>> names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The index of some keys.</summary>
    public ChildKeys(IEnumerable<string> keys)
    {
        foreach (var key in keys) Add(key);
    }

    /// <summary>The names below a key; of the root, those of the sections.</summary>
    public IEnumerable<string> Of(string? parentPath) => names.GetValueOrDefault(parentPath ?? "") ?? [];

    private void Add(string key)
    {
        // Once a name is there, so are those above it.
        var isNew = true;
        for (var path = key; isNew && path.Length > 0;)
        {
            var end = path.LastIndexOf(':');
            var parent = end < 0 ? "" : path[..end];
            if (!names.TryGetValue(parent, out var below)) names[parent] = below = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            isNew = below.Add(path[(end + 1)..]);
            path = parent;
        }
    }
}
