namespace Gateway.RateLimiting;

/// <summary>Adds the limits that routes name in <c>RateLimiterPolicy</c>.</summary>
internal static class RateLimitingSetup
{
    /// <summary>The one policy for all routes, which reads each route's limit.</summary>
    public const string Policy = "route";

    public static void AddRateLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<InProcessLimiterFactory>();
        builder.Services.AddSingleton<RedisRateLimiterFallback>();
        builder.Services.AddRateLimiter(limiter => limiter.AddPolicy<LimitKey, RouteRateLimiterPolicy>(Policy));
    }
}
