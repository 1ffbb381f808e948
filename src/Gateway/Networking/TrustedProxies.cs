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
            foreach (var proxy in options.Edge.TrustedProxies)
            {
                if (!AddressList.TryParse(proxy, out var networks, out _)) continue;
                foreach (var network in networks) forwarded.KnownIPNetworks.Add(network);
            }

            // If the list is empty, the middleware would trust every sender.
            forwarded.ForwardedHeaders = options.Edge.TrustedProxies.Count > 0
                ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto
                : ForwardedHeaders.None;
            forwarded.ForwardLimit = null;
        });
}
