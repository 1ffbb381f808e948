using System.Net;

namespace Gateway.Edge;

/// <summary>Addresses and networks as operators write them: separated by commas or spaces, each an IP address or a network such as <c>10.0.0.0/8</c>.</summary>
internal static class AddressList
{
    private const int MappedPrefix = 96;

    /// <summary>Reads a list; an address is the network of itself alone.</summary>
    /// <param name="text">The list.</param>
    /// <param name="networks">What it holds.</param>
    /// <param name="bad">The first item that is neither address nor network; null when there is none, and then the list is empty if nothing was read.</param>
    public static bool TryParse(string text, out IReadOnlyList<IPNetwork> networks, out string? bad)
    {
        var read = new List<IPNetwork>();
        networks = read;
        bad = null;
        foreach (var item in text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (Read(item) is not { } network)
            {
                bad = item;
                return false;
            }

            read.Add(network);
        }

        return read.Count > 0;
    }

    /// <summary>Whether one of the networks holds an address. An IPv4 address that arrived by an IPv6 socket is what it is in IPv4.</summary>
    public static bool Contains(IReadOnlyList<IPNetwork> networks, IPAddress? address)
    {
        if (address is null) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return networks.Any(network => network.Contains(address));
    }

    // Of "10.0.0.1/8" nobody knows whether one address was meant or many; .NET takes it for 10.0.0.0/8.
    private static IPNetwork? Read(string item)
    {
        var slash = item.IndexOf('/', StringComparison.Ordinal);
        if (ReadAddress(slash < 0 ? item : item[..slash]) is not { } address) return null;
        var network = slash < 0 ? new IPNetwork(address, address.GetAddressBytes().Length * 8)
            : IPNetwork.TryParse(item, out var parsed) && parsed.BaseAddress.Equals(address) ? parsed
            : (IPNetwork?)null;
        return network is { PrefixLength: >= MappedPrefix } mapped && address.IsIPv4MappedToIPv6
            ? new IPNetwork(address.MapToIPv4(), mapped.PrefixLength - MappedPrefix)
            : network;
    }

    // .NET reads "10.1", "[::1]:80" and "fe80::1%eth0" as addresses too; the first two are slips, and a network has no zone.
    private static IPAddress? ReadAddress(string text) =>
        IPAddress.TryParse(text, out var address)
        && (text.Contains(':', StringComparison.Ordinal)
            ? text.AsSpan().IndexOfAny('[', '%') < 0
            : address.ToString().Equals(text, StringComparison.Ordinal))
            ? address
            : null;
}
