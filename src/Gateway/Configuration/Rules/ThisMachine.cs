using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Gateway.Configuration.Rules;

/// <summary>The names and addresses of the machine that the gateway runs on, as far as it knows them itself.</summary>
internal sealed class ThisMachine
{
    private readonly Lazy<HashSet<IPAddress>> addresses = new(Addresses);

    /// <summary>Whether a host, a name or an address without brackets, is this machine.</summary>
    public bool Is(string host)
    {
        if (IsLoopback(host) || host.TrimEnd('.').Equals(Environment.MachineName, StringComparison.OrdinalIgnoreCase)) return true;
        if (!IPAddress.TryParse(host, out var parsed)) return false;
        var address = Unmapped(parsed);
        return address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || addresses.Value.Contains(address);
    }

    /// <summary>Whether a host stands for the machine that asks for it.</summary>
    public static bool IsLoopback(string host) =>
        IPAddress.TryParse(host, out var address) ? IPAddress.IsLoopback(Unmapped(address)) : $".{host.TrimEnd('.')}".EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    /// <summary>An address of IPv4 that is written as one of IPv6, as the former.</summary>
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
            // A sandbox may not say which addresses there are, and start-up does without them.
            return [];
        }
    }
}
