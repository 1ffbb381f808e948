using Microsoft.Extensions.FileProviders;

namespace Gateway.Configuration;

/// <summary>
/// The one door between files and everyone who reads configuration: what was not validated as a whole never passes it,
/// because nothing else in the process watches a file.
/// </summary>
internal sealed class GatedConfigurationProvider : ConfigurationProvider, IConfigurationSource
{
    private volatile Snapshot current;

    /// <summary>A provider that begins with a snapshot.</summary>
    public GatedConfigurationProvider(Snapshot snapshot)
    {
        current = snapshot;
        Data = DataOf(snapshot);
        Files = new PublishedFiles(this);
    }

    /// <summary>What is published. Who needs values, routes and files of one and the same reading takes them from here, once.</summary>
    public Snapshot Current => current;

    /// <summary>The published files; what the configuration does not name comes from its folder.</summary>
    public IFileProvider Files { get; }

    /// <summary>Replaces values and files, then tells everyone who waits for a change.</summary>
    public void Publish(Snapshot snapshot)
    {
        current = snapshot;
        Data = DataOf(snapshot);
        OnReload();
    }

    /// <summary>The provider itself: a host that rebuilds its sources keeps what is published.</summary>
    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    private static Dictionary<string, string?> DataOf(Snapshot snapshot) => new(snapshot.Values, StringComparer.OrdinalIgnoreCase);
}
