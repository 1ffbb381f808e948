using Gateway.Forwarding;

namespace Gateway.Configuration.Rules;

/// <summary>No transform brings back what the gateway keeps a client from sending.</summary>
internal static class RouteTransformRules
{
    private const string Allowed = "RequestHeadersAllowed";

    /// <summary>The rule.</summary>
    public static void Check(RuleContext context)
    {
        foreach (var route in context.Routes)
        {
            for (var index = 0; index < route.Transforms?.Count; index++)
                foreach (var (name, value) in route.Transforms[index]) Check(context, RouteKey.Of(route, $"Transforms:{index}:{name}"), name, value);
        }
    }

    private static void Check(RuleContext context, string key, string name, string value)
    {
        if (name.Equals(Allowed, StringComparison.OrdinalIgnoreCase))
        {
            // YARP copies these itself, after everything that clients may not send was removed.
            foreach (var header in value.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
            {
                if (IdentityHeaders.IsForged(header) || header.ToUpperInvariant() is "AUTHORIZATION" or "COOKIE")
                    context.Error(key, $"allows {Finding.Quote(header)}, which a client could then send as it likes. Remove it: the gateway sends its own, or see ForwardAuthorization and ForwardCookies.");
            }
        }
        else if (value.Equals("Append", StringComparison.OrdinalIgnoreCase) && (name.Equals("X-Forwarded", StringComparison.OrdinalIgnoreCase) || s_forwarded.Contains(name)))
        {
            context.Error(key, "is Append, which would send on what a client wrote. Write \"Set\".");
        }
    }

    private static readonly HashSet<string> s_forwarded = new(StringComparer.OrdinalIgnoreCase) { "For", "Host", "Proto", "Prefix" };
}
