using Gateway.Configuration.Rules.Listeners;

namespace Gateway.Configuration.Rules.Clusters;

/// <summary>Checks that no destination is the gateway itself. Such a request would loop until its <c>Via</c> header ends it with 508.</summary>
internal static class OwnListenerRules
{
    /// <summary>No address of a destination or of a named service is an address that the gateway listens on.</summary>
    public static void Check(RuleContext context)
    {
        var listeners = Listeners(context).ToArray();
        var machine = new ThisMachine();
        foreach (var cluster in context.Clusters)
        {
            foreach (var (name, destination) in cluster.Destinations ?? new Dictionary<string, Yarp.ReverseProxy.Configuration.DestinationConfig>())
            {
                if (Uri.TryCreate(destination.Address, UriKind.Absolute, out var uri)) Check(RouteKey.Of(cluster, $"Destinations:{name}:Address"), uri);
            }
        }

        foreach (var (name, service) in context.Options.Services)
        {
            foreach (var (list, addresses) in new[] { ("Http", service.Http), ("Https", service.Https) })
            {
                for (var i = 0; i < addresses.Count; i++)
                {
                    if (Uri.TryCreate($"any://{addresses[i]}", UriKind.Absolute, out var uri)) Check($"Services:{name}:{list}:{i}", uri);
                }
            }
        }

        void Check(string key, Uri uri)
        {
            if (Array.Find(listeners, listener => Reaches(uri, listener.Address, machine)) is { Address: not null } found)
                context.Warning(key,
                    $"is an address that the gateway itself listens on ({found.Key}): a request would come back, and be refused with 508. "
                    + "Write the service's address.");
        }
    }

    private static IEnumerable<(string Key, BindingAddress Address)> Listeners(RuleContext context)
    {
        foreach (var (key, url) in ListenerAddress.Written(context).Append(("Management:Url", context.Options.Management.Url)))
        {
            if (ListenerAddress.Parse(url) is { } address) yield return (key, address);
        }
    }

    private static bool Reaches(Uri uri, BindingAddress listener, ThisMachine machine)
    {
        if (uri.Port != listener.Port || listener.Port == 0) return false;
        var host = uri.DnsSafeHost.TrimEnd('.');
        if (ListenerAddress.IsAny(listener)) return machine.Is(host);
        if (host.Equals(listener.Host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase)) return true;
        return ListenerAddress.IsLoopback(listener) && ThisMachine.IsLoopback(host);
    }
}
