using System.Net;

namespace Gateway.Configuration.Rules;

/// <summary>The public and the management listeners are where their keys say, and apart.</summary>
internal static class UrlRules
{
    private const string Urls = "Urls";
    private const string Management = "Management:Url";
    private const string KestrelEndpoints = "Kestrel:Endpoints:";

    /// <summary>Whether a key belongs to a listener that Kestrel's own section describes.</summary>
    public static bool IsKestrelEndpoint(string key) => key.StartsWith(KestrelEndpoints, StringComparison.OrdinalIgnoreCase);

    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        var endpoints = context.Snapshot.Values.Where(value => IsKestrelEndpoint(value.Key)).ToArray();
        var publicAddresses = new List<(string Key, BindingAddress Address)>();
        var urls = context.Options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (endpoints.Length == 0)
            foreach (var url in urls) Add(url, Urls);
        else if (context.Snapshot.Values.ContainsKey(Urls))
            context.Error(Urls, "is given together with Kestrel:Endpoints, and Kestrel would silently leave it out. Remove one of the two.");

        if (endpoints.Length == 0 && urls.Length == 0)
            context.Error(Urls, $"names no address. Write one, such as \"{GatewayOptions.DefaultUrls}\".");
        foreach (var (key, url) in endpoints)
            if (key.EndsWith(":Url", StringComparison.OrdinalIgnoreCase) && url is not null) Add(url, key);

        if (Read(context, Management, context.Options.Management.Url) is not { } management) return;
        if (management.Scheme != "http") context.Error(Management, "is https. Write an http address that only operators and probes reach.");
        foreach (var (key, address) in publicAddresses)
            if (Overlap(address, management))
                context.Error(Management, $"is the address of the public edge too ({key}). Write another port.");
        if (IsAny(management) && !publicAddresses.Exists(listener => Overlap(listener.Address, management)))
            context.Warning(Management,
                "listens on every address, and health and metrics need no token. Write the address that probes and operators use, or let a firewall keep others from the port.");

        void Add(string url, string key)
        {
            if (Read(context, key, url) is { } address) publicAddresses.Add((key, address));
        }
    }

    /// <summary>The address that a listener's text stands for; null when it is none.</summary>
    public static BindingAddress? Parse(string url)
    {
        try
        {
            return BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static BindingAddress? Read(RuleContext context, string key, string url)
    {
        // Null is said together with what parses and cannot be listened on.
        var address = Parse(url);
        if (address is null || address.Scheme is not ("http" or "https") || address.PathBase.Length > 0 || address.Port is < 0 or > IPEndPoint.MaxPort
            || url.Contains(';', StringComparison.Ordinal))
        {
            context.Error(key,
                $"is {Finding.Quote(url)}, no address to listen on. "
                + $"Write a scheme, a host and a port, such as \"{GatewayOptions.DefaultUrls}\".");
            return null;
        }

        if (address.Port != 0 || !address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return address;
        context.Error(key, "asks for a free port of localhost, which stands for two addresses. Write 127.0.0.1:0.");
        return null;
    }

    private static bool Overlap(BindingAddress one, BindingAddress other) =>
        one.Port == other.Port && one.Port != 0
        && (one.Host.Equals(other.Host, StringComparison.OrdinalIgnoreCase) || IsAny(one) || IsAny(other) || (IsLoopback(one) && IsLoopback(other)));

    /// <summary>Whether a listener takes every address. To Kestrel a host that is neither an address nor localhost stands for all.</summary>
    public static bool IsAny(BindingAddress address) =>
        IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip)
            ? ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)
            : !address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a listener takes this machine's own connections only.</summary>
    public static bool IsLoopback(BindingAddress address) =>
        address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) && IPAddress.IsLoopback(ip));
}
