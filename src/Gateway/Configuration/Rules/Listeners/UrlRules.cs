using System.Net;

namespace Gateway.Configuration.Rules.Listeners;

/// <summary>Checks the public and the management listeners.</summary>
internal static class UrlRules
{
    private const string Urls = "Urls";
    private const string Management = "Management:Url";

    /// <summary>
    /// Each listener has a valid address, no two listeners share an address, Urls and Kestrel:Endpoints are not both set, and the management listener
    /// is http and separate from the public ones.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var names = ListenerAddress.NamesOf(context);
        var written = ListenerAddress.Written(context).ToArray();
        if (names.Length > 0 && context.Snapshot.Values.ContainsKey(Urls))
            context.Error(Urls, "is given together with Kestrel:Endpoints, and Kestrel would silently leave it out. Remove one of the two.");
        if (names.Length == 0 && written.Length == 0)
            context.Error(Urls, $"names no address. Write one, such as \"{GatewayOptions.DefaultUrls}\".");
        var listeners = new List<(string Key, BindingAddress Address)>();
        foreach (var (key, url) in written)
        {
            if (url.Length == 0)
                context.Error(key,
                    $"is required: the listener would have no address. Write a scheme, a host and a port, such as \"{GatewayOptions.DefaultUrls}\".");
            else if (Read(context, key, url) is { } address)
            {
                if (listeners.Find(other => ListenerAddress.AreTheSame(other.Address, address)) is { Key: { } first })
                    context.Error(key,
                        $"holds {Finding.Quote(url)}, the address of another listener too ({first}). Write another port, or remove one of the two.");
                listeners.Add((key, address));
            }
        }

        if (Read(context, Management, context.Options.Management.Url) is { } management) CheckManagement(context, management, listeners);
    }

    private static void CheckManagement(RuleContext context, BindingAddress management, List<(string Key, BindingAddress Address)> listeners)
    {
        if (management.Scheme != "http") context.Error(Management, "is https. Write an http address that only operators and probes reach.");
        foreach (var (key, address) in listeners)
            if (Overlap(address, management))
                context.Error(Management, $"is the address of the public edge too ({key}). Write another port.");
        if (ListenerAddress.IsAny(management) && !listeners.Exists(listener => Overlap(listener.Address, management)))
            context.Warning(Management,
                "listens on every address, and health and metrics need no token. "
                + "Write the address that probes and operators use, or let a firewall keep others from the port.");
    }

    private static BindingAddress? Read(RuleContext context, string key, string url)
    {
        // An unparsable address is reported with the same message as one that cannot be listened on.
        var address = ListenerAddress.Parse(url);
        if (address is null || address.Scheme is not ("http" or "https") || address.PathBase.Length > 0 || address.Port is < 0 or > IPEndPoint.MaxPort
            || url.Contains(';', StringComparison.Ordinal))
        {
            context.Error(key,
                $"is {Finding.Quote(url)}, which is not an address to listen on. "
                + $"Write a scheme, a host and a port, such as \"{GatewayOptions.DefaultUrls}\".");
            return null;
        }

        if (address.Port != 0 || !address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return address;
        context.Error(key, "asks for a free port of localhost, which stands for two addresses. Write 127.0.0.1:0.");
        return null;
    }

    // Whether the public and the management listener share a port on overlapping addresses, or one of them listens on any address, or both are
    // loopback. This is stricter than a failure to open: with one port on two addresses of a machine, it would be undefined which listener a probe
    // reaches.
    private static bool Overlap(BindingAddress one, BindingAddress other) =>
        one.Port == other.Port && one.Port != 0
        && (ListenerAddress.AreTheSame(one, other) || ListenerAddress.IsAny(one) || ListenerAddress.IsAny(other)
            || (ListenerAddress.IsLoopback(one) && ListenerAddress.IsLoopback(other)));
}
