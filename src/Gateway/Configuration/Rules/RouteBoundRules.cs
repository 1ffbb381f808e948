using Gateway.Edge;

namespace Gateway.Configuration.Rules;

/// <summary>What bounds who and how much a route takes is a bound.</summary>
internal static class RouteBoundRules
{
    // YARP's word for no limit.
    private const long Unlimited = -1;

    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            if (route.MaxRequestBodySize < Unlimited)
                context.Error(RouteKey.Of(route, "MaxRequestBodySize"),
                    $"is {route.MaxRequestBodySize}. Write the most bytes that a request's body may have, or {Unlimited} for no limit.");
            if (RouteMetadata.Of(route).IpAllow is not { } addresses || AddressList.TryParse(addresses, out _, out var bad)) continue;
            context.Error(RouteKey.Of(route, "Metadata:IpAllow"),
                (bad is null ? "is empty, so nobody could use the route. " : $"holds {Finding.Quote(bad)}, no address or network. ")
                + "Write IP addresses, and networks by their first address, such as \"192.0.2.7, 10.0.0.0/8\".");
        }
    }
}
