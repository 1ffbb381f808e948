using System.Net;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Forwarding;

/// <summary>The forward proxy through which a cluster's services are reached. The environment's is for issuers and AWS alone.</summary>
internal static class ServiceProxy
{
    /// <summary>The proxy on the way to an address, as YARP takes it; null when there is none.</summary>
    public static Uri? Of(ClusterConfig cluster, Uri address)
    {
        if (cluster.HttpClient?.WebProxy is not { Address: { } at } written) return null;
        var proxy = new WebProxy(at, written.BypassOnLocal ?? false);
        return proxy.IsBypassed(address) ? null : at;
    }
}
