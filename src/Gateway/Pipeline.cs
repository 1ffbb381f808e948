using Gateway.Authorization;
using Gateway.Configuration;
using Gateway.Cors;
using Gateway.Edge;
using Gateway.Errors;
using Gateway.Forwarding;
using Gateway.Forwarding.Headers;
using Gateway.Hosting;
using Gateway.Logs;
using Gateway.Networking;
using Gateway.RateLimiting;
using Gateway.Routes;

namespace Gateway;

/// <summary>A request's way through the gateway: every step, in order.</summary>
internal static class Pipeline
{
    /// <summary>
    /// Adds the outer steps. The framework puts its filter of AllowedHosts before all that a pipeline adds; only a startup filter comes before that.
    /// </summary>
    public static void AddOuterSteps(this WebApplicationBuilder builder) =>
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, OuterSteps>());

    /// <summary>The steps behind the filter of AllowedHosts.</summary>
    public static void UseSteps(this WebApplication app, GatewayOptions options)
    {
        // While the process drains, every response closes its connection.
        app.UseDrain();
        // A client's trace context is accepted from trusted proxies only.
        app.UseClientTraces();
        // In Development the framework adds a page with the stack trace. This error handling stands inside it, so that no caller sees that page.
        if (app.Environment.IsDevelopment()) app.UseErrorResponses();
        // The client's address and scheme, as trusted proxies report them.
        app.UseTrustedProxies(options);
        // Rejects requests that a service could read otherwise than the gateway does: before the router reads them.
        app.UseMiddleware<RequestGuard>(options.Edge.Methods);
        // Rejects requests for a host whose Sni demands something else of the connection than it was opened with: before a route relies on the host.
        app.UseServerNames();
        app.UseRouting();
        // From here on the route is known. Responses of a module's route are never stored, error responses included.
        app.UseNoStore();
        app.UseRouteTimeouts();
        // Before authentication: a preflight request carries no token.
        app.UseRouteCors();
        app.UseLoopDetection();
        // A known caller that may use its route passes both steps at once.
        app.UnlessAdmitted(static app =>
        {
            app.UseAuthentication();
            // 401, then the route's preconditions (405, 422), then 403.
            app.UseAuthorization();
        });
        app.UseIpAllowList();
        // After authorization: only callers that may use the route use up its limit.
        app.UseRouteLimits();
        app.UseUpgradeLimits();
        // Ends streams and uploads when the caller's token expires.
        app.UseTokenDeadlines();
        app.MapRoutes();
    }

    private sealed class OuterSteps : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            // The rest of a body that nobody read must not become the connection's next requests.
            app.UseUnreadBodies(ErrorHandling.IsOurs);
            // One line per request, whichever step responds.
            app.UseAccessLog();
            // X-Request-Id and security headers, on every response.
            app.UseSecurityHeaders(ErrorHandling.IsOurs);
            // Exceptions and empty errors of all steps below get the error response's body.
            app.UseErrorResponses();
            // The request has arrived: its connection is not closed as silent, even if AllowedHosts rejects the request.
            app.UseFirstRequests();
            next(app);
        };
    }
}
