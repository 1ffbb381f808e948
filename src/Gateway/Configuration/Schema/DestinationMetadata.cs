using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Schema;

/// <summary>The gateway's keys in the metadata of a destination of <c>ReverseProxy</c>. Other names are the operator's own.</summary>
internal sealed record DestinationMetadata
{
    /// <summary>
    /// The destination's share of requests, relative to the weights of the cluster's other destinations: a whole number from 0 to 1000000. 0: it gets none. For
    /// the load balancing policies <c>Weighted</c> and <c>WeightedSticky</c>. Default: 1, if no destination of the cluster has a weight.
    /// </summary>
    public int? Weight { get; init; }

    /// <summary>Reads a destination's metadata; what is not there, or is no value, has its default.</summary>
    public static DestinationMetadata Of(IReadOnlyDictionary<string, string>? metadata)
    {
        var section = new ObjectNode("", false);
        foreach (var (name, value) in metadata ?? new Dictionary<string, string>()) section.Children[name] = new ScalarNode("", false, value);
        return OptionsBinder.Bind<DestinationMetadata>(section);
    }
}
