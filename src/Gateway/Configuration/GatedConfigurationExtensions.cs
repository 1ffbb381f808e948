namespace Gateway.Configuration;

/// <summary>Makes a snapshot the configuration of a host.</summary>
internal static class GatedConfigurationExtensions
{
    /// <summary>Removes all of the builder's sources and adds the one that shows what is published.</summary>
    public static GatedConfigurationProvider UseGatedConfiguration(this IConfigurationBuilder builder, Snapshot snapshot)
    {
        var gate = new GatedConfigurationProvider(snapshot);
        builder.Sources.Clear();
        builder.Add(gate);
        return gate;
    }
}
