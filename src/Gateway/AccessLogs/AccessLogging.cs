using System.Diagnostics;
using Gateway.Authentication;
using Gateway.Edge;
using IotCredentials.Http;
using IotCredentials.Profiles;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.AccessLogs;

/// <summary>Writes every request on the public listener to the access log, whichever step responds.</summary>
internal static class AccessLogging
{
    private const int LongestPath = 512;

    public static void AddAccessLog(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<AccessLog>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AccessLog>());
        builder.Services.AddSingleton<ITransformProvider, CountedResponses>();
    }

    /// <summary>Logs one line per request.</summary>
    public static void UseAccessLog(this IApplicationBuilder app)
    {
        var services = app.ApplicationServices;
        var (log, clock, profiles) = (
            services.GetRequiredService<AccessLog>(), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<IProfileProvider>());
        app.Use(next => context => log.IsOn ? LogAsync(context, next, log, clock, profiles) : next(context));
    }

    private static async Task LogAsync(HttpContext context, RequestDelegate next, AccessLog log, TimeProvider clock, IProfileProvider profiles)
    {
        var (time, begun) = (clock.GetUtcNow(), clock.GetTimestamp());
        var hasFailed = true;
        try
        {
            await next(context);
            hasFailed = false;
        }
        finally
        {
            log.Add(Entry(context, hasFailed, profiles) with { Time = time, Duration = clock.GetElapsedTime(begun) });
        }
    }

    private static AccessEntry Entry(HttpContext context, bool hasFailed, IProfileProvider profiles)
    {
        // The exception handler removes the endpoint from the request and keeps it in this feature.
        var handled = context.Features.Get<IExceptionHandlerFeature>();
        var endpoint = handled?.Endpoint ?? context.GetEndpoint();
        var organization = (handled?.RouteValues ?? context.Request.RouteValues).GetValueOrDefault(RouteOrganization.Parameter) as string;
        var caller = CallerIdentity.Of(context.User);
        var status = Status(context, hasFailed);
        return new()
        {
            Time = default,
            Method = context.Request.Method,
            Path = Path(context),
            Route = endpoint?.Metadata.GetMetadata<RouteModel>()?.Config.RouteId,
            Status = status,
            Duration = default,
            Bytes = Bytes(context, status, hasFailed),
            Scheme = caller?.Scheme,
            Issuer = caller?.Issuer,
            Subject = caller?.Subject,
            Organization = profiles.Current.OrganizationIds.TryParse(organization, out _) ? organization : null,
            Upstream = context.Features.Get<IReverseProxyFeature>()?.ProxiedDestination?.Model.Config.Address,
            Client = context.Connection.RemoteIpAddress,
            RequestId = context.TraceIdentifier,
            TraceId = Activity.Current?.TraceId.ToHexString(),
        };
    }

    private static string Path(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        // An absolute-form target has a host, and possibly a user and password before it, which must not be logged.
        if (target is not ['/' or '*', ..]) target = context.Request.Path.Value ?? "";
        var end = target.AsSpan().IndexOfAny('?', '#');
        return target[..Math.Min(end < 0 ? target.Length : end, LongestPath)];
    }

    private static int Status(HttpContext context, bool hasFailed)
    {
        if (context.Response.HasStarted) return context.Response.StatusCode;
        if (context.RequestAborted.IsCancellationRequested) return StatusCodes.Status499ClientClosedRequest;
        return hasFailed ? StatusCodes.Status500InternalServerError : context.Response.StatusCode;
    }

    /// <summary>The number of bytes in the response's body; null when the body was cut short of its announced length.</summary>
    private static long? Bytes(HttpContext context, int status, bool hasFailed)
    {
        if (!context.Response.HasStarted && status == StatusCodes.Status499ClientClosedRequest) return 0;
        if (HttpMethods.IsHead(context.Request.Method) || status is StatusCodes.Status204NoContent or StatusCodes.Status304NotModified) return 0;
        if (context.Response.ContentLength is not { } length) return (context.Response.Body as CountedStream)?.Count ?? 0;
        var isCut = hasFailed || context.Features.Get<IForwarderErrorFeature>() is
        { Error: ForwarderError.ResponseBodyCanceled or ForwarderError.ResponseBodyClient or ForwarderError.ResponseBodyDestination };
        return isCut ? null : length;
    }

    /// <summary>Counts the bodies of services' responses that do not announce their length.</summary>
    private sealed class CountedResponses(AccessLog log) : ITransformProvider
    {
        public void ValidateRoute(TransformRouteValidationContext context) { }

        public void ValidateCluster(TransformClusterValidationContext context) { }

        public void Apply(TransformBuilderContext context) => context.AddResponseTransform(transform =>
        {
            var response = transform.HttpContext.Response;
            if (log.IsOn && transform.ProxyResponse is not null && response.ContentLength is null) response.Body = new CountedStream(response.Body);
            return default;
        });
    }
}
