using CredentialModule.Http;
using Gateway.Routes;
using Microsoft.AspNetCore.HostFiltering;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Errors;

/// <summary>Gives every error that the gateway itself makes its two-member body. What a downstream service answered passes through untouched.</summary>
internal static class ErrorAnswers
{
    public static void AddErrorAnswers(this WebApplicationBuilder builder)
    {
        builder.Services.Configure<HostFilteringOptions>(hosts => hosts.IncludeFailureMessage = false);
        // First, around the filter of AllowedHosts: that one stands before all that a pipeline adds.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, AroundEverything>());
    }

    /// <summary>Answers what went wrong further in: exceptions, and errors without a body.</summary>
    public static void UseErrorAnswers(this IApplicationBuilder app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            StatusCodeSelector = static error => error is BadHttpRequestException bad && ErrorAnswer.Has(bad.StatusCode) ? bad.StatusCode
                : RouteConflict.Is(error) ? RouteConflict.Status
                : StatusCodes.Status500InternalServerError,
            // A request that is malformed or fits two routes, or whose client has left, is no fault of the gateway's: the access log has it.
            // RequestAborted is the connection's token here: the middleware of a route's Timeout, further in, puts it back as it ends.
            SuppressDiagnosticsCallback = static failure => failure.Exception is BadHttpRequestException
                || RouteConflict.Is(failure.Exception)
                || failure.HttpContext.RequestAborted.IsCancellationRequested,
            ExceptionHandler = static context => ErrorAnswer.WriteAsync(context, context.Response.StatusCode),
        });
        app.Use(static async (context, next) =>
        {
            await next(context);
            var response = context.Response;
            if (!response.HasStarted && ErrorAnswer.Has(response.StatusCode) && response.ContentLength is null && string.IsNullOrEmpty(response.ContentType) && IsOurs(context))
                await ErrorAnswer.WriteAsync(context, response.StatusCode);
        });
    }

    private static bool IsOurs(HttpContext context) =>
        context.Features.Get<IForwarderErrorFeature>() is not null || context.Features.Get<IReverseProxyFeature>()?.ProxiedDestination is null;

    private sealed class AroundEverything : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.UseAnswerHeaders(IsOurs);
            UseErrorAnswers(app);
            next(app);
        };
    }
}
