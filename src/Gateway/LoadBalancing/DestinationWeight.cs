using System.Runtime.CompilerServices;
using Gateway.Configuration.Schema;
using Yarp.ReverseProxy.Model;

namespace Gateway.LoadBalancing;

/// <summary>A destination's weight, and its name as the operator wrote it: a destination that stands for a service's addresses is several for YARP.</summary>
internal sealed record DestinationWeight(string Name, int Weight)
{
    /// <summary>The largest weight.</summary>
    public const int Most = 1_000_000;

    /// <summary>The metadata that holds the written name. An operator's own names cannot contain a colon.</summary>
    public const string NameKey = "gateway:destination";

    private static readonly ConditionalWeakTable<DestinationModel, DestinationWeight> s_read = [];

    /// <summary>Whether the destination gets requests.</summary>
    public bool TakesRequests => Weight > 0;

    public static DestinationWeight Of(DestinationState destination)
    {
        var model = destination.Model;
        if (s_read.TryGetValue(model, out var known)) return known;
        var metadata = model.Config.Metadata;
        return s_read.GetValue(model, _ => new(
            metadata?.GetValueOrDefault(NameKey) ?? destination.DestinationId, DestinationMetadata.Of(metadata).Weight ?? 1));
    }
}
