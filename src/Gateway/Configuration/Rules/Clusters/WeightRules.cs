using Gateway.Configuration.Schema;
using Gateway.LoadBalancing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.LoadBalancing;

namespace Gateway.Configuration.Rules.Clusters;

/// <summary>
/// Checks the weights of destinations: each is in its bounds, all destinations of a cluster have one or none has, one is above 0, and the cluster's policy reads
/// them.
/// </summary>
internal static class WeightRules
{
    private const string WritePolicy =
        $"Write \"LoadBalancingPolicy\": \"{WeightedPolicies.Weighted}\" or \"{WeightedPolicies.WeightedSticky}\", or remove it.";

    private static readonly TimeSpan s_longestStart = TimeSpan.FromHours(1);

    // Any other name is not known, which the dry run reports.
    private static readonly HashSet<string> s_withoutWeights = new(StringComparer.OrdinalIgnoreCase)
    {
        LoadBalancingPolicies.FirstAlphabetical, LoadBalancingPolicies.LeastRequests, LoadBalancingPolicies.PowerOfTwoChoices, LoadBalancingPolicies.Random,
        LoadBalancingPolicies.RoundRobin,
    };

    /// <summary>Checks every cluster.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var cluster in context.Clusters)
        {
            var weights = (cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
                .ToDictionary(static named => named.Key, static named => DestinationMetadata.Of(named.Value.Metadata).Weight, StringComparer.Ordinal);
            var start = ClusterMetadata.Of(cluster.Metadata).SlowStart;
            if (start < TimeSpan.Zero || start > s_longestStart)
                context.Error(RouteKey.Of(cluster, "Metadata:SlowStart"), $"is {start}. Write a time up to {s_longestStart}, such as \"00:01:00\".");
            if (WeightedPolicies.Has(cluster.LoadBalancingPolicy)) Check(context, cluster, weights);
            else if (string.IsNullOrEmpty(cluster.LoadBalancingPolicy) || s_withoutWeights.Contains(cluster.LoadBalancingPolicy))
                CheckUnread(context, cluster, weights, start);
        }
    }

    private static void Check(RuleContext context, ClusterConfig cluster, Dictionary<string, int?> weights)
    {
        if (cluster.SessionAffinity is { Enabled: true })
            context.Warning(RouteKey.Of(cluster, "SessionAffinity:Enabled"),
                "keeps sessions where they are, so the weights hold for their first requests only. "
                + $"Remove it, and write \"LoadBalancingPolicy\": \"{WeightedPolicies.WeightedSticky}\" to keep callers where they are.");
        foreach (var (name, weight) in weights)
        {
            if (weight is < 0 or > DestinationWeight.Most)
                context.Error(Key(cluster, name), $"is {weight}. Write a whole number from 0 to {DestinationWeight.Most}.");
            else if (weight is null && weights.Values.Any(static other => other is not null))
                context.Error(Key(cluster, name), "is missing, and other destinations of the cluster have one. Write a whole number; 0: it gets no requests.");
        }

        if (weights.Count > 0 && weights.Values.All(static weight => weight == 0))
            context.Error(RouteKey.Of(cluster, "Destinations"), "have a Weight of 0 each: every request would get 503. Write one that is above 0.");
    }

    // An operator who wrote 1 for a canary would send it half of the requests.
    private static void CheckUnread(RuleContext context, ClusterConfig cluster, Dictionary<string, int?> weights, TimeSpan start)
    {
        var policy = string.IsNullOrEmpty(cluster.LoadBalancingPolicy)
            ? $"{LoadBalancingPolicies.PowerOfTwoChoices}, the default"
            : cluster.LoadBalancingPolicy;
        foreach (var (name, weight) in weights)
            if (weight is not null) context.Error(Key(cluster, name), $"has no effect with the policy {policy}. {WritePolicy}");
        if (start != TimeSpan.Zero) context.Error(RouteKey.Of(cluster, "Metadata:SlowStart"), $"has no effect with the policy {policy}. {WritePolicy}");
    }

    private static string Key(ClusterConfig cluster, string destination) => RouteKey.Of(cluster, $"Destinations:{destination}:Metadata:Weight");
}
