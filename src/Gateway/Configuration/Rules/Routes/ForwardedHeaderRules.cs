using Gateway.Configuration.Schema;
using Gateway.Forwarding.Headers;
using Gateway.Networking;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>Checks the headers that a route's <c>ForwardHeaders</c> passes on.</summary>
internal static class ForwardedHeaderRules
{
    /// <summary>
    /// ForwardHeaders is set only on forwarding routes, and names headers of other proxies that are removed by default. It never names headers that
    /// identify the caller to a service.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            if (RouteMetadata.Of(route) is not { ForwardHeaders: { } headers } metadata) continue;
            var key = RouteKey.Of(route, "Metadata:ForwardHeaders");
            if (metadata.Module is not null) context.Error(key, "has no place on a module route: nothing is sent to a service. Remove it.");
            else if (ForwardedClientHeaders.NamesIn(headers) is not { Length: > 0 } names)
                context.Error(key, "is empty. Write names of headers, separated by commas, such as \"CF-Ray\".");
            else foreach (var name in names) Check(context, key, name);
        }
    }

    private static void Check(RuleContext context, string key, string name)
    {
        if (!HttpToken.Is(name) || name.Contains('*', StringComparison.Ordinal))
            context.Error(
                key, $"holds {Finding.Quote(name)}, which is not the name of a header. Write whole names, separated by commas; patterns are not supported.");
        else if (name.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || name.Equals("Cookie", StringComparison.OrdinalIgnoreCase))
            context.Error(key, $"holds {Finding.Quote(name)}. Write ForwardAuthorization or ForwardCookies instead.");
        else if (ReservedHeaders.IsRemovedAlways(name) || ReservedHeaders.Own.Contains(name))
            context.Error(key,
                $"holds {Finding.Quote(name)}, which is never taken from a client. Remove it: the gateway tells services itself what they may know.");
        else if (!ReservedHeaders.IsRemovedByDefault(name))
            context.Warning(key, $"holds {Finding.Quote(name)}, which is passed on in any case. Remove it.");
    }
}
