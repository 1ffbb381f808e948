using Gateway.Configuration.Tree;

namespace Gateway.Configuration.Schema;

/// <summary>The gateway's keys in the metadata of a cluster of <c>ReverseProxy</c>. Other names are YARP's, or the operator's own.</summary>
internal sealed record ClusterMetadata
{
    /// <summary>
    /// How long a connection to a service may lie idle and still be used again: less than the service keeps it open, or a request meets a closed connection.
    /// <c>00:00:00</c>: each request has a connection of its own. Otherwise more than 1 second, up to 10 minutes. Default: 1.5 seconds, since
    /// gunicorn closes after 2 seconds, Node.js, uvicorn and Apache after 5, nginx after 75.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>
    /// The address of the service's OpenAPI 3 document, which is JSON. <c>/openapi.json</c> shows its paths that routes expose. Default: none.
    /// </summary>
    public string? OpenApi { get; init; }

    /// <summary>
    /// How long a destination that takes requests again, or for the first time since a reload, gets fewer of them than its weight says: the share rises evenly
    /// from a tenth. Up to 1 hour. For the load balancing policies <c>Weighted</c> and <c>WeightedSticky</c>. Default: 00:00:00, it gets its whole share at once.
    /// </summary>
    public TimeSpan SlowStart { get; init; }

    /// <summary>Reads a cluster's metadata; what is not there, or is no value, has its default.</summary>
    public static ClusterMetadata Of(IReadOnlyDictionary<string, string>? metadata)
    {
        var section = new ObjectNode("", false);
        foreach (var (name, value) in metadata ?? new Dictionary<string, string>()) section.Children[name] = new ScalarNode("", false, value);
        return OptionsBinder.Bind<ClusterMetadata>(section);
    }
}
