using Gateway.Networking;

namespace Gateway.Configuration.Rules.Listeners;

/// <summary>Checks that no route relies on its listener for a client certificate or a version of TLS, because each route is served on every listener.</summary>
internal static class ServerNameRules
{
    /// <summary>
    /// If the names in a listener's Sni differ in what they demand, each route has Hosts. No host of a route has the port of one of several listeners.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var kestrel = new ConfigurationBuilder().AddInMemoryCollection(context.Snapshot.Values).Build().GetSection("Kestrel");
        if (context.Routes.FirstOrDefault(route => route.Match.Hosts is not { Count: > 0 }) is { } everywhere)
        {
            foreach (var (endpoint, _) in ServerNames.Of(kestrel))
                context.Warning($"{ListenerAddress.Section(endpoint)}:Sni",
                    $"has names that differ in ClientCertificateMode or SslProtocols, and the route {Finding.Quote(everywhere.RouteId)} is served under each "
                    + "of them, because it has no Match:Hosts. Write Hosts for each route, or demand the same of every name.");
        }

        CheckPorts(context);
    }

    private static void CheckPorts(RuleContext context)
    {
        var listeners = ListenerAddress.Written(context).Select(listener => ListenerAddress.Parse(listener.Url)).OfType<BindingAddress>().ToArray();
        var ports = listeners.Select(listener => $"{listener.Port}").ToHashSet(StringComparer.Ordinal);
        if (ports.Count < 2) return;
        foreach (var route in context.Routes)
        {
            for (var index = 0; index < route.Match.Hosts?.Count; index++)
            {
                var host = route.Match.Hosts[index];
                if (host.Split(':') is [_, var port] && ports.Contains(port))
                    context.Warning(RouteKey.Of(route, $"Match:Hosts:{index}"),
                        $"is {Finding.Quote(host)}, whose port is that of a listener. It is compared with the Host that the client writes, so requests on the "
                        + "other listeners reach the route too. Protect it by its AuthorizationPolicy or IpAllow, and remove the port.");
            }
        }
    }
}
