using Microsoft.AspNetCore.Http.Timeouts;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>Applies a route's <c>Timeout</c>: 504 when it passes before the response has begun.</summary>
internal static class RouteTimeouts
{
    public static void UseRouteTimeouts(this IApplicationBuilder app)
    {
        app.UseRequestTimeouts();
        app.Use(static (context, next) => context.Features.Get<IHttpRequestTimeoutFeature>() is null ? next(context) : RespondAsync(context, next));
    }

    /// <summary>Whether the route's timeout has passed.</summary>
    public static bool HasPassed(HttpContext context) =>
        context.Features.Get<IHttpRequestTimeoutFeature>() is { RequestTimeoutToken.IsCancellationRequested: true };

    private static async Task RespondAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        // To the forwarder a timeout looks like a client that disconnected, and it sets the status for that.
        if (HasPassed(context) && context.Features.Get<IForwarderErrorFeature>() is not null && !context.Response.HasStarted)
            context.Response.StatusCode = StatusCodes.Status504GatewayTimeout;
    }
}
