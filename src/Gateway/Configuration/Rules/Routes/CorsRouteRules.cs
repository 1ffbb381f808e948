using Gateway.Configuration.Rules.Identity;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules.Routes;

/// <summary>
/// Checks that scripts can use a route with a CORS policy. Browsers send a preflight before they send a token or a method that is not simple.
/// </summary>
internal static class CorsRouteRules
{
    private const string Preflight = "OPTIONS";
    private const string Token = "Authorization";

    // Browsers send these methods without a preflight.
    private static readonly string[] s_simpleMethods = ["GET", "HEAD", "POST"];

    /// <summary>
    /// For routes with a CORS policy, Edge:Methods includes OPTIONS, the policy's Headers include Authorization if a route needs a token, and the
    /// policy allows at least one method of each route.
    /// </summary>
    public static void Check(RuleContext context)
    {
        var routes = context.Routes.Where(route => route.CorsPolicy is not null && context.Options.Cors.Policies.ContainsKey(route.CorsPolicy)).ToArray();
        if (routes.Length > 0 && context.Options.Edge.Methods is { Count: > 0 } methods && !methods.Contains(Preflight, StringComparer.OrdinalIgnoreCase))
            context.Warning("Edge:Methods",
                $"has no {Preflight}, which browsers ask with before they send a request to the route {Finding.Quote(routes[0].RouteId)} that has a "
                + $"CorsPolicy: scripts cannot use it. Add {Preflight}.");

        foreach (var routesOfPolicy in routes.GroupBy(route => route.CorsPolicy!, StringComparer.Ordinal))
        {
            var policy = context.Options.Cors.Policies[routesOfPolicy.Key];
            if (routesOfPolicy.FirstOrDefault(NeedsToken) is { } closed && !policy.Headers.Contains(Token, StringComparer.OrdinalIgnoreCase))
                context.Warning($"Cors:Policies:{routesOfPolicy.Key}:Headers",
                    $"does not hold {Token}, and the route {Finding.Quote(closed.RouteId)} needs a token: browsers will not send it. "
                    + $"Add \"{Token.ToLowerInvariant()}\".");
            foreach (var route in routesOfPolicy.Where(route => route.Match.Methods is { Count: > 0 }))
                if (!route.Match.Methods!.Any(method => s_simpleMethods.Concat(policy.Methods).Contains(method, StringComparer.OrdinalIgnoreCase)))
                    context.Warning($"Cors:Policies:{routesOfPolicy.Key}:Methods",
                        $"holds none of the methods of the route {Finding.Quote(route.RouteId)} ({string.Join(", ", route.Match.Methods!)}): "
                        + "browsers will not send them. Add those that scripts use.");
        }
    }

    private static bool NeedsToken(RouteConfig route) => !AuthorizationPolicyRules.IsAnonymous(route.AuthorizationPolicy);
}
