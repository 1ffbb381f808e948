using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>Builds the keys of routes and clusters.</summary>
internal static class RouteKey
{
    /// <summary>Returns a route's key.</summary>
    public static string Of(RouteConfig route) => $"ReverseProxy:Routes:{route.RouteId}";

    /// <summary>Returns the key of a route's setting.</summary>
    public static string Of(RouteConfig route, string name) => $"{Of(route)}:{name}";

    /// <summary>Returns a cluster's key.</summary>
    public static string Of(ClusterConfig cluster) => $"ReverseProxy:Clusters:{cluster.ClusterId}";

    /// <summary>Returns the key of a cluster's setting.</summary>
    public static string Of(ClusterConfig cluster, string name) => $"{Of(cluster)}:{name}";
}
