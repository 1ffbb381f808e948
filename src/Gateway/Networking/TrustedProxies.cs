using Gateway.Configuration;
using Microsoft.AspNetCore.HttpOverrides;

namespace Gateway.Networking;

/// <summary>Takes the client's address and scheme from the proxies in <c>Edge:TrustedProxies</c>, and from no others.</summary>
internal static class TrustedProxies
{
    public static void AddTrustedProxies(this WebApplicationBuilder builder, GatewayOptions options) =>
        builder.Services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var network in NetworksOf(options)) forwarded.KnownIPNetworks.Add(network);

            // If the list is empty, the middleware would trust every sender.
            forwarded.ForwardedHeaders = options.Edge.TrustedProxies.Count > 0
                ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto
                : ForwardedHeaders.None;
            forwarded.ForwardLimit = null;
        });

    /// <summary>The networks that <c>Edge:TrustedProxies</c> names.</summary>
    public static IReadOnlyList<System.Net.IPNetwork> NetworksOf(GatewayOptions options) =>
        [.. options.Edge.TrustedProxies.SelectMany(static proxy => AddressList.TryParse(proxy, out var networks, out _) ? networks : [])];
}
