using System.Diagnostics;

namespace Gateway.Errors;

/// <summary>Headers on every response. Set in OnStarting, because the exception handler clears earlier ones.</summary>
internal static class SecurityHeaders
{
    // One year: longer than any pause between two visits, and the minimum for preload lists. includeSubDomains is not set: other names are not the edge's to
    // decide.
    private const string Transport = "max-age=31536000";

    /// <summary>
    /// Sets <c>X-Request-Id</c>, the request's id in logs and at services; it replaces a service's own value. Removes <c>Server</c>, which names the software
    /// inside, including a service's own. Sets <c>Strict-Transport-Security</c> on every response over https; it replaces a service's own value, since the host
    /// name is the edge's. Sets <c>X-Content-Type-Options</c> if <paramref name="isOurs"/>.
    /// </summary>
    public static void UseSecurityHeaders(this IApplicationBuilder app, Func<HttpContext, bool> isOurs)
    {
        Func<object, Task> set = SetAsync;
        app.Use((context, next) =>
        {
            context.TraceIdentifier = ActivityTraceId.CreateRandom().ToHexString();
            context.Response.OnStarting(set, context);
            return next(context);
        });

        Task SetAsync(object state)
        {
            var context = (HttpContext)state;
            var headers = context.Response.Headers;
            headers["X-Request-Id"] = context.TraceIdentifier;
            headers.Server = default;
            if (context.Request.IsHttps) headers.StrictTransportSecurity = Transport;
            if (isOurs(context)) headers.XContentTypeOptions = "nosniff";
            return Task.CompletedTask;
        }
    }
}
