using System.Net;

namespace Gateway.Edge;

/// <summary>Endpoint metadata: the client addresses that may use the route.</summary>
internal sealed class IpAllowList(string addresses)
{
    // What does not parse lets nobody in.
    private readonly IReadOnlyList<IPNetwork> _networks = AddressList.TryParse(addresses, out var networks, out _) ? networks : [];

    public bool Allows(IPAddress? client) => AddressList.Contains(_networks, client);
}
