using Gateway.Configuration;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.HttpOverrides;

namespace Gateway.Networking;

/// <summary>Takes the client's address and scheme from the proxies in <c>Edge:TrustedProxies</c>, and from no others.</summary>
internal static class TrustedProxies
{
    public static void AddTrustedProxies(this WebApplicationBuilder builder, GatewayOptions options)
    {
        // Over HTTP/2 a proxy that has ended TLS sends the client's scheme in the request itself. Without this, Kestrel resets such requests.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.AllowAlternateSchemes = options.Edge.TrustedProxies.Count > 0);
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
    }

    /// <summary>Takes the client's address and scheme as a trusted proxy reports them; the scheme of any other client is that of its connection.</summary>
    public static void UseTrustedProxies(this IApplicationBuilder app, GatewayOptions options)
    {
        var networks = NetworksOf(options);
        if (networks.Count > 0)
            app.Use((context, next) =>
            {
                var scheme = SchemeOf(context);
                if (context.Request.Scheme != scheme && !AddressList.Contains(networks, context.Connection.RemoteIpAddress)) context.Request.Scheme = scheme;
                return next(context);
            });
        app.UseForwardedHeaders();
        // A proxy may pass on what its client wrote, and services build links from the scheme.
        if (networks.Count > 0)
            app.Use(static (context, next) =>
            {
                context.Request.Scheme = context.Request.Scheme.ToLowerInvariant() switch
                {
                    // Traefik writes ws and wss for upgrades.
                    "http" or "ws" => Uri.UriSchemeHttp,
                    "https" or "wss" => Uri.UriSchemeHttps,
                    _ => SchemeOf(context),
                };
                return next(context);
            });
    }

    private static string SchemeOf(HttpContext context) =>
        context.Features.Get<ITlsConnectionFeature>() is null ? Uri.UriSchemeHttp : Uri.UriSchemeHttps;

    /// <summary>The networks that <c>Edge:TrustedProxies</c> names.</summary>
    public static IReadOnlyList<System.Net.IPNetwork> NetworksOf(GatewayOptions options) =>
        [.. options.Edge.TrustedProxies.SelectMany(static proxy => AddressList.TryParse(proxy, out var networks, out _) ? networks : [])];
}
