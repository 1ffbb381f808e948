using System.IO.Hashing;
using System.Runtime.InteropServices;
using Gateway.Authentication;
using Gateway.Networking;
using Yarp.ReverseProxy.LoadBalancing;
using Yarp.ReverseProxy.Model;

namespace Gateway.LoadBalancing;

/// <summary>The load balancing policies that read weights.</summary>
internal static class WeightedPolicies
{
    public const string Weighted = nameof(Weighted);
    public const string WeightedSticky = nameof(WeightedSticky);

    /// <summary>Whether a policy is one of them.</summary>
    public static bool Has(string? policy) =>
        policy is not null
        && (policy.Equals(Weighted, StringComparison.OrdinalIgnoreCase) || policy.Equals(WeightedSticky, StringComparison.OrdinalIgnoreCase));

    public static void AddWeightedDestinations(this IServiceCollection services)
    {
        services.AddSingleton<WeightedClusters>();
        services.AddSingleton<IClusterChangeListener>(static provider => provider.GetRequiredService<WeightedClusters>());
        services.AddSingleton<ILoadBalancingPolicy, WeightedPolicy>();
        services.AddSingleton<ILoadBalancingPolicy, WeightedStickyPolicy>();
    }

    // YARP asks a policy only if there are two destinations or more. Those with a weight of 0 are left out before.
    private sealed class WeightedPolicy(WeightedClusters clusters) : ILoadBalancingPolicy
    {
        public string Name => Weighted;

        public DestinationState PickDestination(HttpContext context, ClusterState cluster, IReadOnlyList<DestinationState> availableDestinations) =>
            clusters.Of(cluster).Next(availableDestinations);
    }

    private sealed class WeightedStickyPolicy(WeightedClusters clusters) : ILoadBalancingPolicy
    {
        public string Name => WeightedSticky;

        // With the cluster's name, the callers of one cluster's canary are not those of every other's.
        public DestinationState PickDestination(HttpContext context, ClusterState cluster, IReadOnlyList<DestinationState> availableDestinations)
        {
            var weighted = clusters.Of(cluster);
            return weighted.Of(Hash(weighted.Name, CallerOf(context)), availableDestinations);
        }

        // The hash has to be the same in every replica, and after a restart. .NET's own differs in each process.
        private static ulong CallerOf(HttpContext context) => CallerIdentity.Of(context.User) is { } caller
            ? Hash(caller.Subject, Hash(caller.Issuer, 1))
            : Hash(ClientAddress.Of(context), 0);

        private static ulong Hash(string text, ulong seed) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(text.AsSpan()), unchecked((long)seed));
    }
}
