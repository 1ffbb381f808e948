using Gateway.Forwarding;
using IotCredentials.Http;
using Microsoft.AspNetCore.HostFiltering;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Errors;

/// <summary>Writes the two-member error body for every error of the gateway itself. A service's own error responses pass through unchanged.</summary>
internal static class ErrorHandling
{
    public static void AddErrorResponses(this WebApplicationBuilder builder) =>
        builder.Services.Configure<HostFilteringOptions>(hosts => hosts.IncludeFailureMessage = false);

    /// <summary>Writes the error response for exceptions of the steps below, and for errors without a body.</summary>
    public static void UseErrorResponses(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            StatusCodeSelector = static error => error is BadHttpRequestException bad && ErrorResponse.Has(bad.StatusCode) ? bad.StatusCode
                : RouteConflict.Is(error) ? RouteConflict.Status
                : StatusCodes.Status500InternalServerError,
            // Do not log malformed requests, requests that fit two routes, or requests whose client has left: the gateway is not at fault, and the access log
            // has them. RequestAborted is the connection's token here: the middleware of a route's Timeout, further in, restores it when it ends.
            SuppressDiagnosticsCallback = static failure => failure.Exception is BadHttpRequestException
                || RouteConflict.Is(failure.Exception)
                || failure.HttpContext.RequestAborted.IsCancellationRequested,
            ExceptionHandler = static context => ErrorResponse.WriteAsync(context, context.Response.StatusCode),
        });
        app.Use(static async (context, next) =>
        {
            await next(context);
            var response = context.Response;
            if (!response.HasStarted && ErrorResponse.Has(response.StatusCode)
                && response.ContentLength is null && string.IsNullOrEmpty(response.ContentType) && IsOurs(context))
                await ErrorResponse.WriteAsync(context, response.StatusCode);
        });
    }

    /// <summary>Whether the gateway itself made the response.</summary>
    public static bool IsOurs(HttpContext context) =>
        context.Features.Get<IForwarderErrorFeature>() is { } failure
            ? !EarlyResponse.Stands(context, failure)
            : context.Features.Get<IReverseProxyFeature>()?.ProxiedDestination is null;
}
