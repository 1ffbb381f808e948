namespace Gateway.Configuration.Snapshots;

/// <summary>Uses a snapshot as the configuration of a host.</summary>
internal static class SnapshotConfigurationExtensions
{
    /// <summary>Replaces all of the builder's sources with a provider of the current snapshot.</summary>
    public static SnapshotConfigurationProvider UseSnapshot(this IConfigurationBuilder builder, Snapshot snapshot)
    {
        var snapshots = new SnapshotConfigurationProvider(snapshot);
        builder.Sources.Clear();
        builder.Add(snapshots);
        return snapshots;
    }
}
