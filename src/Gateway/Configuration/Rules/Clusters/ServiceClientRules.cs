using Gateway.Configuration.Schema;

namespace Gateway.Configuration.Rules.Clusters;

/// <summary>Checks the connections to a cluster's services.</summary>
internal static class ServiceClientRules
{
    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(1);
    private static readonly string[] s_tls = ["None", "Tls12", "Tls13"];
    private static readonly TimeSpan s_most = TimeSpan.FromMinutes(10);

    /// <summary>
    /// A cluster's IdleTimeout is 0, or more than one second and at most 10 minutes. OpenApi is an http or https address. A proxy's address has an http,
    /// https or socks scheme.
    /// ResponseHeaderEncoding has no effect. A version of TLS is a name, and not one that is no longer safe.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var cluster in context.Clusters)
        {
            var metadata = ClusterMetadata.Of(cluster.Metadata);
            if (metadata.OpenApi is { } document && !(HttpAddress.TryParse(document, out var address) && address is { UserInfo: "", Fragment: "" }))
                context.Error(RouteKey.Of(cluster, "Metadata:OpenApi"),
                    "is not an absolute http or https address, or holds a user or a fragment. Write where the service's OpenAPI document is, such as "
                    + "\"http://devices:8080/openapi/v1.json\".");
            var idle = metadata.IdleTimeout;
            if (idle != TimeSpan.Zero && (idle <= s_least || idle > s_most))
                context.Error(RouteKey.Of(cluster, "Metadata:IdleTimeout"),
                    $"is {idle}. Write less than the service keeps an idle connection open: more than 00:00:01, up to 00:10:00; "
                    + "or 00:00:00 for a new connection each time.");
            if (cluster.HttpClient?.WebProxy?.Address is { } proxy && proxy.Scheme is not ("http" or "https" or "socks4" or "socks4a" or "socks5"))
                context.Error(RouteKey.Of(cluster, "HttpClient:WebProxy:Address"),
                    "is no address of a proxy. Write scheme, host and port, such as \"http://proxy:3128\".");
            if (cluster.HttpClient?.ResponseHeaderEncoding is not null)
                context.Warning(RouteKey.Of(cluster, "HttpClient:ResponseHeaderEncoding"),
                    "has no effect here: response headers pass byte for byte, in whatever encoding. Remove it.");
            CheckTls(context, RouteKey.Of(cluster, "HttpClient:SslProtocols"));
        }
    }

    private static void CheckTls(RuleContext context, string list)
    {
        for (var index = 0; context.Snapshot.Values.TryGetValue($"{list}:{index}", out var version); index++)
        {
            if (int.TryParse(version, out _))
                context.Error($"{list}:{index}", $"is {version}, a number for a version of TLS. Write Tls12 or Tls13.");
            else if (!s_tls.Contains(version, StringComparer.OrdinalIgnoreCase))
                context.Warning($"{list}:{index}", $"is {version}, which is no longer safe, and most systems refuse it. Write Tls12 or Tls13.");
        }
    }
}
