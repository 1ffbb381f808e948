using System.Net;

namespace Gateway.Networking;

/// <summary>
/// Parses addresses and networks in the configuration: separated by commas or spaces, each an IP address or a network such as <c>10.0.0.0/8</c>.
/// </summary>
internal static class AddressList
{
    private const int MappedPrefix = 96;

    /// <summary>Reads a list. A single address becomes a network of that address alone.</summary>
    /// <param name="text">The list.</param>
    /// <param name="networks">The networks in the list.</param>
    /// <param name="bad">
    /// The first item that is neither address nor network; null when there is none. If it is null and the result is false, the list is empty.
    /// </param>
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

    /// <summary>Whether one of the networks contains an address. An IPv4-mapped IPv6 address is compared as IPv4.</summary>
    public static bool Contains(IReadOnlyList<IPNetwork> networks, IPAddress? address)
    {
        if (address is null) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return networks.Any(network => network.Contains(address));
    }

    // "10.0.0.1/8" is ambiguous: one address or many. .NET would read it as 10.0.0.0/8, so it is rejected.
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

    // .NET also parses "10.1", "[::1]:80" and "fe80::1%eth0" as addresses. The first two are typos, and a network has no zone.
    private static IPAddress? ReadAddress(string text) =>
        IPAddress.TryParse(text, out var address)
        && (text.Contains(':', StringComparison.Ordinal)
            ? text.AsSpan().IndexOfAny('[', '%') < 0
            : address.ToString().Equals(text, StringComparison.Ordinal))
            ? address
            : null;
}
