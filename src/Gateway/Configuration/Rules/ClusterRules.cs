using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>A cluster has destinations, and each is an address.</summary>
internal static class ClusterRules
{
    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var cluster in context.Clusters)
        {
            if (cluster.SessionAffinity is { Enabled: true, Policy: "Cookie" or "CustomHeader" } affinity)
                context.Error(RouteKey.Of(cluster, "SessionAffinity:Policy"),
                    $"is {affinity.Policy}, whose key only the replica that made it could read. Write \"HashCookie\" or \"ArrCookie\".");
            if (cluster.Destinations is not { Count: > 0 })
                context.Error(RouteKey.Of(cluster, "Destinations"),
                    "is required: there is nowhere to forward to. "
                    + "Write such as { \"a\": { \"Address\": \"http://localhost:5001/\" } }.");
            foreach (var (name, destination) in cluster.Destinations ?? new Dictionary<string, DestinationConfig>())
                if (!IsAddress(destination.Address))
                    context.Error(RouteKey.Of(cluster, $"Destinations:{name}:Address"),
                        $"is {Finding.Quote(destination.Address ?? "")}, no absolute http or https address. "
                        + "Write one, such as \"http://localhost:5001/\".");
        }
    }

    private static bool IsAddress(string? text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0;
}
