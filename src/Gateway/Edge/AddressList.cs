using System.Net;

namespace Gateway.Edge;

internal static class AddressList
{
    public static bool TryParse(string text, out IReadOnlyList<System.Net.IPNetwork> networks, out string? bad)
    {
        var found = new List<System.Net.IPNetwork>();
        bad = null;
        foreach (var item in text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            if (System.Net.IPNetwork.TryParse(item, out var network)) found.Add(network);
            else if (IPAddress.TryParse(item, out var address)) found.Add(new(address, address.GetAddressBytes().Length * 8));
            else bad = item;
        }

        networks = found;
        return bad is null && found.Count > 0;
    }

    public static bool Contains(IReadOnlyList<System.Net.IPNetwork> networks, IPAddress? address)
    {
        if (address is { IsIPv4MappedToIPv6: true }) address = address.MapToIPv4();
        return address is not null && networks.Any(network => network.Contains(address));
    }
}
