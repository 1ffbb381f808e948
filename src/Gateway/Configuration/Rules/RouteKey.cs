using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>The keys of routes and clusters.</summary>
internal static class RouteKey
{
    /// <summary>A key of a route.</summary>
    public static string Of(RouteConfig route, string name) => $"ReverseProxy:Routes:{route.RouteId}:{name}";

    /// <summary>A key of a cluster.</summary>
    public static string Of(ClusterConfig cluster, string name) => $"ReverseProxy:Clusters:{cluster.ClusterId}:{name}";
}
