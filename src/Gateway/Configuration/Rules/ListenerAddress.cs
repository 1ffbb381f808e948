using System.Net;
using System.Net.Sockets;

namespace Gateway.Configuration.Rules;

/// <summary>What the keys of listeners say.</summary>
internal static class ListenerAddress
{
    private const string Urls = "Urls";
    private const string Endpoints = "Kestrel:Endpoints:";

    /// <summary>Whether a key belongs to a listener that Kestrel's own section describes.</summary>
    public static bool IsEndpoint(string key) => key.StartsWith(Endpoints, StringComparison.OrdinalIgnoreCase);

    /// <summary>The names of the listeners of Kestrel's own section.</summary>
    public static string[] NamesOf(RuleContext context) =>
        [.. context.Snapshot.Values.Keys.Where(IsEndpoint).Select(key => key.Split(':')[2]).Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>The section of a listener of Kestrel's own section.</summary>
    public static string Section(string name) => Endpoints + name;

    /// <summary>The key of such a listener's address.</summary>
    public static string UrlKey(string name) => $"{Endpoints}{name}:Url";

    /// <summary>The addresses of the public edge with their keys: of Kestrel's own section, or else of <c>Urls</c>.</summary>
    public static IEnumerable<(string Key, string Url)> Written(RuleContext context)
    {
        if (NamesOf(context) is { Length: > 0 } names) return names.Select(name => (UrlKey(name), context.Snapshot.Values.GetValueOrDefault(UrlKey(name)) ?? ""));
        return context.Options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(url => (Urls, url));
    }

    /// <summary>The address that a listener's text stands for; null when it is none.</summary>
    public static BindingAddress? Parse(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            // With a port that is no number, ASP.NET Core takes the port for a part of the host, and listens on port 80.
            return address.Host.Contains(':', StringComparison.Ordinal) && !address.Host.StartsWith('[') ? null : address;
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Whether a listener takes every address. To Kestrel a host that is neither an address nor localhost stands for all.</summary>
    public static bool IsAny(BindingAddress address) => AddressesOf(address).Any(IsAny);

    /// <summary>Whether a listener takes this machine's own connections only.</summary>
    public static bool IsLoopback(BindingAddress address) => AddressesOf(address).All(IPAddress.IsLoopback);

    /// <summary>Whether one of two listeners keeps the other from being opened.</summary>
    public static bool AreTheSame(BindingAddress one, BindingAddress other) =>
        one.Port == other.Port && one.Port != 0
        && AddressesOf(one).Any(address => AddressesOf(other).Any(second => AreTheSame(address, second) || AreTheSame(second, address)));

    // The address of every IPv6 network takes connections of IPv4 as well.
    private static bool AreTheSame(IPAddress one, IPAddress other) =>
        one.Equals(other) || one.Equals(IPAddress.IPv6Any) || (one.Equals(IPAddress.Any) && other.AddressFamily == AddressFamily.InterNetwork);

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static IPAddress[] AddressesOf(BindingAddress address) =>
        address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
        : IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) ? [ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip]
        : [IPAddress.IPv6Any];
}
