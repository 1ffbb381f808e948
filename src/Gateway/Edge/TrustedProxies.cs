using Gateway.Configuration;
using Microsoft.AspNetCore.HttpOverrides;

namespace Gateway.Edge;

/// <summary>The client's address and scheme, as proxies say that are named in <c>Edge:TrustedProxies</c>; nobody else is believed.</summary>
internal static class TrustedProxies
{
    public static void AddTrustedProxies(this WebApplicationBuilder builder, GatewayOptions options) =>
        builder.Services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var proxy in options.Edge.TrustedProxies)
            {
                if (!AddressList.TryParse(proxy, out var networks, out _)) continue;
                foreach (var network in networks) forwarded.KnownIPNetworks.Add(network);
            }

            // With nobody named, the middleware would believe everybody.
            forwarded.ForwardedHeaders = options.Edge.TrustedProxies.Count > 0 ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto : ForwardedHeaders.None;
            forwarded.ForwardLimit = null;
        });
}
