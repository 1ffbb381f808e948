using System.Net;
using System.Net.Sockets;

namespace Gateway.Configuration.Rules.Listeners;

/// <summary>Reads the keys of listeners.</summary>
internal static class ListenerAddress
{
    private const string Urls = "Urls";
    private const string Endpoints = "Kestrel:Endpoints:";

    /// <summary>Whether a key belongs to a listener in Kestrel's own section.</summary>
    public static bool IsEndpoint(string key) => key.StartsWith(Endpoints, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the names of the listeners in Kestrel's own section.</summary>
    public static string[] NamesOf(RuleContext context) =>
        [.. context.Snapshot.Values.Keys.Where(IsEndpoint).Select(key => key.Split(':')[2]).Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>Returns the section of a listener in Kestrel's own section.</summary>
    public static string Section(string name) => Endpoints + name;

    /// <summary>Returns the key of such a listener's address.</summary>
    public static string UrlKey(string name) => $"{Endpoints}{name}:Url";

    /// <summary>Returns the addresses of the public listeners with their keys, from Kestrel's own section, or else from <c>Urls</c>.</summary>
    public static IEnumerable<(string Key, string Url)> Written(RuleContext context)
    {
        if (NamesOf(context) is { Length: > 0 } names)
            return names.Select(name => (UrlKey(name), context.Snapshot.Values.GetValueOrDefault(UrlKey(name)) ?? ""));
        return context.Options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(url => (Urls, url));
    }

    /// <summary>Returns the address that a listener's text stands for, or null when the text is not an address.</summary>
    public static BindingAddress? Parse(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            // If the port is not a number, ASP.NET Core treats it as part of the host and listens on port 80.
            return address.Host.Contains(':', StringComparison.Ordinal) && !address.Host.StartsWith('[') ? null : address;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>
    /// Whether a listener accepts connections on every address. For Kestrel, a host that is neither an address nor localhost stands for all
    /// addresses.
    /// </summary>
    public static bool IsAny(BindingAddress address) => AddressesOf(address).Any(IsAny);

    /// <summary>Whether a listener accepts connections only from this machine.</summary>
    public static bool IsLoopback(BindingAddress address) => AddressesOf(address).All(IPAddress.IsLoopback);

    /// <summary>Whether two listeners have the same port and overlapping addresses, so that only one of them can be opened.</summary>
    public static bool AreTheSame(BindingAddress one, BindingAddress other) =>
        one.Port == other.Port && one.Port != 0
        && AddressesOf(one).Any(address => AddressesOf(other).Any(second => AreTheSame(address, second) || AreTheSame(second, address)));

    // Whether the first address includes the second. The IPv6 wildcard address also accepts IPv4 connections.
    private static bool AreTheSame(IPAddress one, IPAddress other) =>
        one.Equals(other) || one.Equals(IPAddress.IPv6Any) || (one.Equals(IPAddress.Any) && other.AddressFamily == AddressFamily.InterNetwork);

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static IPAddress[] AddressesOf(BindingAddress address) =>
        address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
        : IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) ? [ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip]
        : [IPAddress.IPv6Any];
}
