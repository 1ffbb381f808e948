using Microsoft.Extensions.FileProviders;

namespace Gateway.Configuration;

/// <summary>
/// The one door between files and everyone who reads configuration: what was not validated as a whole never passes it,
/// because nothing else in the process watches a file.
/// </summary>
internal sealed class GatedConfigurationProvider : ConfigurationProvider, IConfigurationSource
{
    // One field, so that no reader meets the values of one snapshot with the names of another.
    private volatile Published published;

    /// <summary>A provider that begins with a snapshot.</summary>
    public GatedConfigurationProvider(Snapshot snapshot)
    {
        published = new Published(snapshot);
        Files = new PublishedFiles(this);
    }

    /// <summary>What is published. Who needs values, routes and files of one and the same reading takes them from here, once.</summary>
    public Snapshot Current => published.Snapshot;

    /// <summary>The published files; what the configuration does not name comes from its folder.</summary>
    public IFileProvider Files { get; }

    /// <summary>Replaces values and files, then tells everyone who waits for a change.</summary>
    public void Publish(Snapshot snapshot)
    {
        published = new Published(snapshot);
        OnReload();
    }

    /// <summary>The provider itself: a host that rebuilds its sources keeps what is published.</summary>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    /// <summary>A value: what the host's own code has set, or else what is published.</summary>
    public override bool TryGet(string key, out string? value) =>
        base.TryGet(key, out value) || published.Snapshot.Values.TryGetValue(key, out value);

    /// <summary>The names below a key, and those that earlier providers know.</summary>
    public override IEnumerable<string> GetChildKeys(IEnumerable<string> earlierKeys, string? parentPath) =>
        base.GetChildKeys(earlierKeys.Concat(published.ChildKeys.Of(parentPath)), parentPath);

    private sealed record Published(Snapshot Snapshot)
    {
        public ChildKeys ChildKeys { get; } = new(Snapshot.Values.Keys);
    }
}
