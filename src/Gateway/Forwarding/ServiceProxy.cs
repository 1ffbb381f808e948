using System.Net;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Forwarding;

/// <summary>
/// The forward proxy through which a cluster's services are reached. The proxy of the environment variables is used for issuers and AWS only.
/// </summary>
internal static class ServiceProxy
{
    /// <summary>The proxy for an address, by YARP's rules; null when there is none.</summary>
    public static Uri? Of(ClusterConfig cluster, Uri address)
    {
        if (cluster.HttpClient?.WebProxy is not { Address: { } at } written) return null;
        var proxy = new WebProxy(at, written.BypassOnLocal ?? false);
        return proxy.IsBypassed(address) ? null : at;
    }
}
