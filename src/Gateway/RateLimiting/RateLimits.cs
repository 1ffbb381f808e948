namespace Gateway.RateLimiting;

/// <summary>Adds the limits that routes name in <c>RateLimiterPolicy</c>.</summary>
internal static class RateLimits
{
    /// <summary>The one policy for all routes, which reads what each says.</summary>
    public const string Policy = "route";

    public static void AddRateLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<LocalLimits>();
        builder.Services.AddSingleton<SharedLimits>();
        builder.Services.AddRateLimiter(limiter => limiter.AddPolicy<LimitKey, RouteRateLimits>(Policy));
    }
}
