using System.Diagnostics;
using Gateway.Authentication;
using Gateway.Edge;
using Gateway.Recording;
using Gateway.Telemetry;
using IotCredentials.Http;
using IotCredentials.Profiles;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Logs;

/// <summary>Writes every request on the public listener to the access log, and counts those that were refused, whichever step responds.</summary>
internal static class AccessLogging
{
    private const int LongestPath = 512;
    private const int LongestMethod = 32;

    /// <summary>Logs one line per request.</summary>
    public static void UseAccessLog(this IApplicationBuilder app)
    {
        var services = app.ApplicationServices;
        var (log, metrics, clock, profiles, recorder, refused) = (
            services.GetRequiredService<LogOutputs>().Access, services.GetRequiredService<GatewayMetrics>(), services.GetRequiredService<TimeProvider>(),
            services.GetRequiredService<IProfileProvider>(), services.GetRequiredService<TrafficRecorder>(), services.GetRequiredService<RefusedRequests>());
        app.Use(next => context => LogAsync(context, next, log, metrics, clock, profiles, recorder, refused));
    }

    private static async Task LogAsync(
        HttpContext context, RequestDelegate next, LogQueue<AccessEntry>? log, GatewayMetrics metrics, TimeProvider clock, IProfileProvider profiles,
        TrafficRecorder recorder, RefusedRequests refused)
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
            var status = Status(context, hasFailed);
            // The exception handler removes the endpoint from the request and keeps it in this feature.
            var handled = status >= StatusCodes.Status400BadRequest ? context.Features.Get<IExceptionHandlerFeature>() : null;
            var route = (handled?.Endpoint ?? context.GetEndpoint())?.Metadata.GetMetadata<RouteModel>()?.Config.RouteId;
            var reason = RequestReason.Of(context, status);
            metrics.Responded(route, status);
            if (reason is not (null or GatewayReason.ClientLeft)) metrics.Refused(route, reason);
            if (reason is not null && CallerIdentity.Of(context.User) is null) RequestDurations.MarkStranger(context);
            var duration = clock.GetElapsedTime(begun);
            var isRecorded = recorder.IsOn;
            if (log is not null || isRecorded || reason is not null)
            {
                var entry = Entry(context, handled, route, status, reason, hasFailed, profiles, time, duration);
                log?.TryAdd(entry);
                // An upgraded connection lasts as long as its client wants.
                if (isRecorded || reason is not null)
                    Record(isRecorded ? recorder : null, refused, entry, UpgradeLimits.IsUpgrade(context) ? null : duration);
            }
        }
    }

    private static void Record(TrafficRecorder? recorder, RefusedRequests refused, AccessEntry entry, TimeSpan? duration)
    {
        var isRefused = entry.Reason is not (null or GatewayReason.ClientLeft);
        recorder?.Add(entry.Route, entry.Status, isRefused ? entry.Reason : null, duration);
        if (entry.Reason is not { } reason) return;
        var request = RefusedRequest.Of(
            entry.Time, entry.Route, entry.Method, entry.Path.Span, entry.Status, reason, entry.Organization, entry.Issuer, entry.Subject, entry.RequestId,
            entry.Scheme, entry.UpstreamOrigin, entry.Client?.ToString(), entry.TraceId);
        refused.Add(request);
        if (isRefused) recorder?.Refused(request);
    }

    private static AccessEntry Entry(
        HttpContext context, IExceptionHandlerFeature? handled, string? route, int status, string? reason, bool hasFailed, IProfileProvider profiles,
        DateTimeOffset time, TimeSpan duration)
    {
        var organization = (handled?.RouteValues ?? context.Request.RouteValues).GetValueOrDefault(RouteOrganization.Parameter) as string;
        var caller = CallerIdentity.Of(context.User);
        return new AccessEntry
        {
            Time = time,
            Method = context.Request.Method is { Length: > LongestMethod } method ? method[..LongestMethod] : context.Request.Method,
            Path = Path(context),
            Route = route,
            Status = status,
            Reason = reason,
            Duration = duration,
            Bytes = Bytes(context, status, hasFailed),
            Scheme = caller?.Scheme,
            Issuer = caller?.Issuer,
            Subject = caller?.Subject,
            Organization = profiles.Current.OrganizationIds.TryParse(organization, out _) ? organization : null,
            Upstream = context.Features.Get<IReverseProxyFeature>()?.ProxiedDestination?.Model,
            // A listener on all addresses has an IPv4 client's as one of IPv6.
            Client = context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : context.Connection.RemoteIpAddress,
            RequestId = context.TraceIdentifier,
            TraceId = Activity.Current?.TraceId.ToHexString(),
        };
    }

    private static ReadOnlyMemory<char> Path(HttpContext context)
    {
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        // An absolute-form target has a host, and possibly a user and password before it, which must not be logged.
        if (target is not ['/' or '*', ..]) target = context.Request.Path.Value ?? "";
        var end = target.AsSpan().IndexOfAny('?', '#');
        var length = Math.Min(end < 0 ? target.Length : end, LongestPath);
        // The entry waits for its line, and a long target must not wait with it.
        return target.Length > LongestPath ? target[..length].AsMemory() : target.AsMemory(0, length);
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
}
