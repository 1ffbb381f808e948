using Microsoft.Extensions.FileProviders;

namespace Gateway.Configuration.Snapshots;

/// <summary>
/// The only configuration source of the process. Nothing else watches a file, so only a configuration that was validated as a whole is ever visible.
/// </summary>
internal sealed class SnapshotConfigurationProvider : ConfigurationProvider, IConfigurationSource
{
    // The snapshot and its child names are kept in one field, so that a reader never combines the values of one snapshot with the names of another.
    private volatile Published _published;

    /// <summary>Creates a provider with an initial snapshot.</summary>
    public SnapshotConfigurationProvider(Snapshot snapshot)
    {
        _published = new Published(snapshot);
        Files = new SnapshotFiles(this);
    }

    /// <summary>The current snapshot. A caller that needs consistent values, routes and files must read this property once.</summary>
    public Snapshot Current => _published.Snapshot;

    /// <summary>The snapshot's files. A file that the configuration does not name is read from the folder on disk.</summary>
    public IFileProvider Files { get; }

    /// <summary>Replaces values and files, then notifies all change listeners.</summary>
    public void Publish(Snapshot snapshot)
    {
        _published = new Published(snapshot);
        OnReload();
    }

    /// <summary>Returns this instance, so that a host that rebuilds its sources keeps the current snapshot.</summary>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>Returns a value that the host's own code has set, or else the snapshot's value.</summary>
    public override bool TryGet(string key, out string? value) =>
        base.TryGet(key, out value) || _published.Snapshot.Values.TryGetValue(key, out value);

    /// <summary>Returns the names below a key, together with those of earlier providers.</summary>
    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath) =>
        base.GetChildKeys(earlierKeys.Concat(_published.ChildKeys.Of(parentPath)), parentPath);

    private sealed record Published(Snapshot Snapshot)
    {
        public ChildKeys ChildKeys { get; } = new(Snapshot.Values.Keys);
    }
}
