using System.Threading.RateLimiting;
using Gateway.Configuration;

namespace Gateway.RateLimiting;

/// <summary>The limits that routes name in <c>RateLimiterPolicy</c>.</summary>
internal static class RateLimits
{
    // No configuration key holds a colon, so that no operator's limit has this name.
    private const string OneForAllRoutes = "route:limit";

    public static void AddRateLimits(this WebApplicationBuilder builder, GatewayOptions options)
    {
        builder.Services.AddSingleton<SharedLimits>();
        builder.Services.AddRateLimiter(limiter =>
        {
            limiter.AddPolicy<LimitKey, RouteRateLimits>(OneForAllRoutes);
            // The proxy refuses a route whose limit has no policy of its name. None of these is asked: MapRateLimits puts the one over them.
            foreach (var name in options.RateLimiting.Policies.Keys) limiter.AddPolicy(name, static _ => RateLimitPartition.GetNoLimiter(""));
        });
    }

    /// <summary>Puts the one policy on every route, and on each that names a limit what that is.</summary>
    public static ReverseProxyConventionBuilder MapRateLimits(this ReverseProxyConventionBuilder endpoints, GatewayOptions options)
    {
        endpoints.ConfigureEndpoints((endpoint, route) =>
        {
            if (route.RateLimiterPolicy is { } name && options.RateLimiting.Policies.GetValueOrDefault(name) is { } limit)
                endpoint.Add(builder => builder.Metadata.Add(new RouteLimit(name, limit)));
        });
        return endpoints.RequireRateLimiting(OneForAllRoutes);
    }
}
