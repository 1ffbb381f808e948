using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Gateway.Configuration.Rules;

/// <summary>The names and addresses of the gateway's machine, as far as the machine itself knows them.</summary>
internal sealed class ThisMachine
{
    private readonly Lazy<HashSet<IPAddress>> _addresses = new(Addresses);

    /// <summary>Whether a host is this machine. The host is a name, or an address without brackets.</summary>
    public bool Is(string host)
    {
        if (IsLoopback(host) || host.TrimEnd('.').Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase)) return true;
        if (!IPAddress.TryParse(host, out var parsed)) return false;
        var address = Unmapped(parsed);
        return address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || _addresses.Value.Contains(address);
    }

    /// <summary>Whether a host is a loopback address, <c>localhost</c> or a name below it.</summary>
    public static bool IsLoopback(string host) =>
        IPAddress.TryParse(host, out var address)
            ? IPAddress.IsLoopback(Unmapped(address))
            : $".{host.TrimEnd('.')}".EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns an IPv4-mapped IPv6 address as IPv4, and any other address unchanged.</summary>
    public static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static HashSet<IPAddress> Addresses()
    {
        try
        {
            return
            [
                .. NetworkInterface.GetAllNetworkInterfaces()
                    .SelectMany(static network => network.GetIPProperties().UnicastAddresses)
                    .Select(static unicast => unicast.Address),
            ];
        }
        catch (Exception e) when (e is NetworkInformationException or SocketException or PlatformNotSupportedException)
        {
            // A sandbox may not allow listing the addresses. Start-up does not depend on them.
            return [];
        }
    }
}
