using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>The keys of routes and clusters.</summary>
internal static class RouteKey
{
    /// <summary>A route's key.</summary>
    public static string Of(RouteConfig route) => $"ReverseProxy:Routes:{route.RouteId}";

    /// <summary>A key of a route.</summary>
    public static string Of(RouteConfig route, string name) => $"{Of(route)}:{name}";

    /// <summary>A cluster's key.</summary>
    public static string Of(ClusterConfig cluster) => $"ReverseProxy:Clusters:{cluster.ClusterId}";

    /// <summary>A key of a cluster.</summary>
    public static string Of(ClusterConfig cluster, string name) => $"{Of(cluster)}:{name}";
}
