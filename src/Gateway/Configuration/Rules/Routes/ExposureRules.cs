using System.Net;
using System.Net.Sockets;
using Gateway.Networking;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>Reports settings that are valid but expose what the gateway should protect.</summary>
internal static class ExposureRules
{
    private const string Methods = "Edge:Methods";
    private const string ManagementPolicy = "Management:AuthorizationPolicy";
    private const string MaxBody = "Kestrel:Limits:MaxRequestBodySize";
    private const long Unlimited = -1;

    // No public client has an address in these networks.
    private static readonly IPNetwork[] s_privateNetworks =
    [
        .. new[] { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10" }
            .Select(IPNetwork.Parse),
    ];

    /// <summary>
    /// TrustedProxies are not wide public networks, remote issuers use https, the management policy requires roles or scopes, Edge:Methods lacks
    /// TRACE, TRACK and CONNECT, request bodies are limited, and clusters validate certificates.
    /// </summary>
    public static void Check(RuleContext context)
    {
        CheckProxies(context);
        CheckIssuers(context);
        CheckManagement(context);
        CheckMethods(context);
        CheckBodies(context);
        foreach (var cluster in context.Clusters)
            if (cluster.HttpClient?.DangerousAcceptAnyServerCertificate == true)
                context.Warning(RouteKey.Of(cluster, "HttpClient:DangerousAcceptAnyServerCertificate"),
                    "is true: any machine on the way can be the service, and reads what callers send. "
                    + "Remove it, and add the certificate's issuer to the machine's trusted ones.");
    }

    private static void CheckProxies(RuleContext context)
    {
        var proxies = context.Options.Edge.TrustedProxies;
        for (var index = 0; index < proxies.Count; index++)
        {
            if (!AddressList.TryParse(proxies[index], out var networks, out _)) continue;
            foreach (var network in networks.Where(IsPublic))
            {
                var isIPv4 = network.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
                var key = $"Edge:TrustedProxies:{index}";
                if (network.PrefixLength < (isIPv4 ? 8 : 16))
                    context.Error(key, $"is {Finding.Quote(proxies[index])}, which holds clients too: "
                        + "each of them could choose the address that it is counted and logged by. Write the networks of your proxies.");
                else if (network.PrefixLength < (isIPv4 ? 12 : 24))
                    context.Warning(key, $"is {Finding.Quote(proxies[index])}, a wide public network: "
                        + "every client in it can choose the address that it is counted and logged by. Write the networks of your proxies.");
            }
        }
    }

    private static bool IsPublic(IPNetwork network) =>
        !Array.Exists(s_privateNetworks, known => known.PrefixLength <= network.PrefixLength && known.Contains(network.BaseAddress));

    private static void CheckIssuers(RuleContext context)
    {
        foreach (var (name, scheme) in context.Options.Authentication.Schemes)
            Check($"Authentication:Schemes:{name}", scheme.RequireHttpsMetadata, scheme.MetadataAddress ?? scheme.Authority);
        if (context.Options.AzureAd is { } azure) Check("AzureAd", azure.RequireHttpsMetadata, azure.Instance);

        void Check(string section, bool requiresHttps, string? address)
        {
            if (!requiresHttps && Uri.TryCreate(address, UriKind.Absolute, out var uri) && !IsLocal(uri))
                context.Warning($"{section}:RequireHttpsMetadata",
                    $"is false, and {Finding.Quote(uri.Host)} is another machine: "
                    + "anyone on the way between can send keys of their own, and tokens signed with them are accepted. Remove it, and write an https address.");
        }
    }

    private static bool IsLocal(Uri uri) => uri.IsLoopback || uri.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    private static void CheckManagement(RuleContext context)
    {
        var management = context.Options.Management;
        if (management.AuthorizationPolicy is { } name && context.Options.Authorization.Policies.GetValueOrDefault(name) is { Roles.Count: 0, Scopes.Count: 0 })
            context.Warning(ManagementPolicy,
                $"is {Finding.Quote(name)}, which asks for neither Roles nor Scopes: "
                + $"every {(context.Options.Authorization.Policies[name].RequireOrganization ? "member of an organization" : "caller of its Schemes")} could "
                + "do what operators do. Name a policy that asks for one.");
    }

    private static void CheckMethods(RuleContext context)
    {
        var methods = context.Options.Edge.Methods;
        for (var index = 0; index < methods.Count; index++)
        {
            if (HttpMethods.IsTrace(methods[index]) || methods[index] == "TRACK")
                context.Warning($"{Methods}:{index}",
                    $"is {methods[index]}: a service that supports it sends a request's headers back, those that the gateway adds included. Remove it.");
            else if (HttpMethods.IsConnect(methods[index]))
                context.Warning($"{Methods}:{index}",
                    "is CONNECT, which asks for a tunnel; no service behind a gateway needs it. Remove it. WebSockets over HTTP/2 do not need it listed.");
        }
    }

    private static void CheckBodies(RuleContext context)
    {
        if (context.Snapshot.Values.TryGetValue(MaxBody, out var most) && string.IsNullOrEmpty(most))
            context.Warning(MaxBody, "is null: a client may send a body without end. Write the most bytes that a request's body may have.");
        foreach (var route in context.Routes)
            if (route.MaxRequestBodySize == Unlimited)
                context.Warning(RouteKey.Of(route, "MaxRequestBodySize"),
                    $"is {Unlimited}: a client may send a body without end. Write the most bytes that the service takes.");
    }
}
