using Gateway.Forwarding.Headers;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Transforms;

/// <summary>
/// Checks the transforms of request headers. A transform must take effect, and must not put a value that the client chose into a header that services
/// trust.
/// </summary>
internal static class RouteTransformRules
{
    private static readonly string[] s_forwarded = ["For", "Host", "Proto", "Prefix"];

    /// <summary>
    /// A transform writes or removes no header that the gateway sets itself. It writes no connection header, no second Host, and no route value into
    /// a header that is removed from clients' requests. HeaderPrefix is not empty. RequestHeadersAllowed lists no header that is removed from
    /// clients' requests anyway.
    /// </summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            for (var index = 0; index < route.Transforms?.Count; index++) Check(context, route, route.Transforms[index], $"Transforms:{index}");
        }
    }

    private static void Check(RuleContext context, RouteConfig route, IReadOnlyDictionary<string, string> transform, string path)
    {
        if (transform.TryGetValue("RequestHeader", out var header))
        {
            CheckWritten(context, RouteKey.Of(route, $"{path}:RequestHeader"), header);
            if (transform.ContainsKey("Append") && header.Equals("Host", StringComparison.OrdinalIgnoreCase))
                context.Error(RouteKey.Of(route, $"{path}:Append"), "would give the request two hosts. Write \"Set\".");
        }
        else if (transform.TryGetValue("RequestHeaderRouteValue", out header))
        {
            var key = RouteKey.Of(route, $"{path}:RequestHeaderRouteValue");
            CheckWritten(context, key, header);
            if (!ReservedHeaders.Own.Contains(header) && IsKeptFromClients(context, route, header))
                context.Error(key,
                    $"puts a part of the path, which the client chooses, into {Finding.Quote(header)}, which services take for the word of a proxy. "
                    + "Choose another header.");
        }
        else if (transform.TryGetValue("RequestHeaderRemove", out header))
        {
            if (ReservedHeaders.Own.Contains(header)) Own(context, RouteKey.Of(route, $"{path}:RequestHeaderRemove"), header);
        }
        else if (transform.TryGetValue("ClientCert", out header)) CheckWritten(context, RouteKey.Of(route, $"{path}:ClientCert"), header);
        else if (transform.TryGetValue("X-Forwarded", out _) && transform.TryGetValue("HeaderPrefix", out var prefix))
        {
            foreach (var name in s_forwarded) CheckWritten(context, RouteKey.Of(route, $"{path}:HeaderPrefix"), prefix + name);
            if (prefix.Length == 0)
                context.Error(RouteKey.Of(route, $"{path}:HeaderPrefix"),
                    "is empty, so that \"Host\" would be written. Write the beginning of the headers' names, such as \"X-Forwarded-\".");
        }
        else if (transform.TryGetValue("RequestHeadersAllowed", out var allowed))
            CheckAllowed(context, route, RouteKey.Of(route, $"{path}:RequestHeadersAllowed"), allowed);
    }

    private static void CheckWritten(RuleContext context, string key, string header)
    {
        if (ReservedHeaders.Own.Contains(header)) Own(context, key, header);
        else if (ReservedHeaders.OfOneHop.Contains(header))
            context.Error(key, $"names {Finding.Quote(header)}, which is about the connection to the service, and the gateway sets it. Remove the transform.");
    }

    private static void Own(RuleContext context, string key, string header) =>
        context.Error(key,
            $"names {Finding.Quote(header)}, which the gateway sets on every request after all transforms. Remove the transform, or choose another header.");

    private static void CheckAllowed(RuleContext context, RouteConfig route, string key, string headers)
    {
        foreach (var header in headers.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!ReservedHeaders.OfOneHop.Contains(header) && IsKeptFromClients(context, route, header))
                context.Warning(key,
                    $"allows {Finding.Quote(header)}, which is removed from clients' requests all the same. "
                    + "See ForwardAuthorization, ForwardCookies and ForwardHeaders in the route's Metadata.");
        }
    }

    private static bool IsKeptFromClients(RuleContext context, RouteConfig route, string header)
    {
        var forwarded = new ForwardedClientHeaders(route, context.Options.Authentication.KeyHeader);
        return header.ToUpperInvariant() switch
        {
            "AUTHORIZATION" => !forwarded.Authorization,
            "COOKIE" => !forwarded.Cookies,
            _ => forwarded.IsRemoved(header),
        };
    }
}
