using System.Net;
using Gateway.Telemetry;
using IotCredentials.Http;

namespace Gateway.Networking;

/// <summary>Endpoint metadata: the client addresses that may use the route.</summary>
internal sealed class IpAllowList(string addresses)
{
    // If the list cannot be parsed, no address is allowed.
    private readonly IReadOnlyList<IPNetwork> _networks = AddressList.TryParse(addresses, out var networks, out _) ? networks : [];

    public bool Allows(IPAddress? client) => AddressList.Contains(_networks, client);
}

/// <summary>Adds the check of the client's address.</summary>
internal static class IpAllowListExtensions
{
    /// <summary>Responds 403 to a client whose address is not in the route's list.</summary>
    public static void UseIpAllowList(this IApplicationBuilder app) => app.Use(static (context, next) =>
        context.GetEndpoint()?.Metadata.GetMetadata<IpAllowList>()?.Allows(context.Connection.RemoteIpAddress) == false
            ? ErrorResponse.WriteAsync(context, StatusCodes.Status403Forbidden, GatewayReason.ClientAddress)
            : next(context));
}
