using System.Diagnostics;

namespace Gateway.Errors;

/// <summary>What stands on answers whoever makes them, set as they start: an error on the way takes back what was set before it.</summary>
internal static class AnswerHeaders
{
    // A year: long enough to outlast any pause between two visits, and what preload lists ask for. Names below or beside the edge's are not its to decide.
    private const string Transport = "max-age=31536000";

    /// <summary>
    /// <c>X-Request-Id</c>, by which logs and services know the request, a service's own value replaced; no <c>Server</c>, which names the software inside, a
    /// service's own neither; <c>Strict-Transport-Security</c> on every answer over https, a service's own value replaced, since the name is the edge's;
    /// <c>X-Content-Type-Options</c> on what <paramref name="isOurs"/>.
    /// </summary>
    public static void UseAnswerHeaders(this IApplicationBuilder app, Func<HttpContext, bool> isOurs)
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
