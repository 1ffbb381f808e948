using Gateway.Configuration.Schema;
using Gateway.Networking;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>Checks the limits of routes.</summary>
internal static class RouteBoundRules
{
    // YARP's value for no limit.
    private const long Unlimited = -1;

    /// <summary>A route's MaxRequestBodySize is -1 or more, and its IpAllow holds addresses and networks.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            if (route.MaxRequestBodySize < Unlimited)
                context.Error(RouteKey.Of(route, "MaxRequestBodySize"),
                    $"is {route.MaxRequestBodySize}. Write the most bytes that a request's body may have, or {Unlimited} for no limit.");
            if (RouteMetadata.Of(route).IpAllow is not { } addresses || AddressList.TryParse(addresses, out _, out var bad)) continue;
            context.Error(RouteKey.Of(route, "Metadata:IpAllow"),
                (bad is null ? "is empty, so nobody could use the route. " : $"holds {Finding.Quote(bad)}, which is not an address or network. ")
                + "Write IP addresses, and networks by their first address, such as \"192.0.2.7, 10.0.0.0/8\".");
        }
    }
}
