using System.Text.Json;
using Gateway.Forwarding.Connections;
using Gateway.LoadBalancing;
using Gateway.Telemetry;
using IotCredentials.Failures;
using IotCredentials.Http;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Forwarding;

/// <summary>
/// Counts each attempt that failed on a service's side, and logs the first of a kind in a minute: a service that is down fails every request. Callers see the
/// status only. If the client itself ended the request, for example by disconnecting, that is not a failure.
/// </summary>
internal static partial class ForwardingErrors
{
    public const string Category = "Gateway.Forwarding";

    // Services' addresses come and go. Beyond this, the failures of a cluster share a line for each error.
    private const int MostKinds = 4096;

    private const string UnexpectedEnd = "Unexpected end of request content.";

    // Half of what the servers with the smallest limit take.
    private const int LargeHeaders = 4 * 1024;

    public static void UseForwardingErrors(this IReverseProxyApplicationBuilder pipeline)
    {
        var metrics = pipeline.ApplicationServices.GetRequiredService<GatewayMetrics>();
        var lines = new RepeatedLines<(string Cluster, string? Destination, string Error)>(
            MostKinds, pipeline.ApplicationServices.GetRequiredService<TimeProvider>());
        var logger = pipeline.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger(Category);
        pipeline.Use(async (context, next) =>
        {
            await next(context);
            if (context.Features.Get<IForwarderErrorFeature>() is not { } failure) return;
            // Only the response transforms have set one: session affinity's, for the destination that failed. The client would come back to it.
            if (failure.Error is ForwarderError.Request or ForwarderError.RequestTimedOut && !context.Response.HasStarted)
                context.Response.Headers.SetCookie = default;
            if (HasClientLeft(failure) && !context.Response.HasStarted)
            {
                context.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
                return;
            }

            if (IsTooLarge(context, failure) && !context.Response.HasStarted)
            {
                context.Response.StatusCode = StatusCodes.Status431RequestHeaderFieldsTooLarge;
                return;
            }

            if (NoConnectionLeftException.IsCauseOf(failure.Exception) && !context.Response.HasStarted)
            {
                ErrorReason.Set(context, GatewayReason.InFlight);
                ErrorResponse.SetRetryAfter(context.Response, TimeSpan.Zero);
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            }

            if (ErrorOf(context, failure) is not { } error) return;
            var proxy = context.GetReverseProxyFeature();
            var cluster = WeightedCluster.NameOf(proxy.Cluster.Config.ClusterId);
            metrics.ForwardingFailed(cluster, error);
            if (!lines.IsDue((cluster, proxy.ProxiedDestination?.DestinationId, error), rest: (cluster, null, error), out var leftOut)) return;
            if (proxy.ProxiedDestination is not { } destination)
            {
                Log.NoDestination(logger, cluster, leftOut);
                return;
            }

            var through = FailureText.Through(ServiceProxy.Of(proxy.Cluster.Config, new Uri(destination.Model.Config.Address)));
            Log.Failed(logger, cluster, destination.DestinationId, error, (failure.Exception is { } e ? FailureText.Kinds(e) : "") + through, leftOut);
        });
    }

    /// <summary>Why the last attempt of a request failed on the service's side, in a word for logs; null if it did not.</summary>
    /// <param name="context">The request.</param>
    /// <param name="hasResponse">Whether the response is the service's own. Then only a failure that cut it short counts.</param>
    public static string? ReasonOf(HttpContext context, bool hasResponse)
    {
        if (context.Features.Get<IForwarderErrorFeature>() is not { } failure || ErrorOf(context, failure) is not { } error) return null;
        return !hasResponse || failure.Error is ForwarderError.ResponseBodyDestination or ForwarderError.UpgradeRequestDestination
            or ForwarderError.UpgradeResponseDestination ? GatewayReason.UpstreamPrefix + JsonNamingPolicy.SnakeCaseLower.ConvertName(error) : null;
    }

    /// <summary>Whether an attempt failed before anything was sent, and no other destination could take the request.</summary>
    public static bool IsNotOfService(HttpContext context, IForwarderErrorFeature failure) =>
        IsTooLarge(context, failure) || NoConnectionLeftException.IsCauseOf(failure.Exception);

    /// <summary>Whether an error is a failure of the service, and not the client's.</summary>
    public static bool IsOfService(HttpContext context, IForwarderErrorFeature failure) => ErrorOf(context, failure) is not null;

    // RequestAborted is cancelled on another thread, and often too late to tell. If a body is not well-formed, too large or too slow, its read fails with
    // Kestrel's own exception, or with an overflow for a chunk's size. So it does if the body ends too early, but then with this text.
    private static bool HasClientLeft(IForwarderErrorFeature failure) =>
        failure is { Error: ForwarderError.RequestBodyClient, Exception: { } exception }
        && (exception is AggregateException several ? several.InnerExceptions : [exception])
            .All(static e => e is BadHttpRequestException bad ? bad.Message == UnexpectedEnd : e.InnerException is not OverflowException);

    /// <summary>
    /// Whether the client's headers exceed what the service takes over HTTP/2 (its SETTINGS_MAX_HEADER_LIST_SIZE). The HTTP client throws this before anything
    /// is sent, and names no error and no cause. It also throws so when a service goes away several times in a row: then the headers are not large.
    /// </summary>
    private static bool IsTooLarge(HttpContext context, IForwarderErrorFeature failure) =>
        failure is { Error: ForwarderError.Request, Exception: HttpRequestException { HttpRequestError: HttpRequestError.Unknown, InnerException: null } }
        && SizeOf(context.Request) > LargeHeaders;

    // About as HTTP/2 counts it (RFC 9113, 6.5.2), the path being a header there.
    private static int SizeOf(HttpRequest request) => (request.Path.Value?.Length ?? 0) + (request.QueryString.Value?.Length ?? 0)
        + request.Headers.Sum(static header => header.Key.Length + header.Value.Sum(static value => value?.Length ?? 0) + 32);

    private static string? ErrorOf(HttpContext context, IForwarderErrorFeature failure) => failure.Error switch
    {
        _ when IsNotOfService(context, failure) => null,
        ForwarderError.RequestCanceled when RouteTimeouts.HasPassed(context) => nameof(ForwarderError.RequestTimedOut),
        ForwarderError.Request or ForwarderError.RequestTimedOut or ForwarderError.RequestCreation or ForwarderError.RequestBodyDestination
            or ForwarderError.ResponseHeaders or ForwarderError.ResponseBodyDestination or ForwarderError.NoAvailableDestinations
            or ForwarderError.UpgradeRequestDestination or ForwarderError.UpgradeResponseDestination => failure.Error.ToString(),
        _ => null,
    };

    private static partial class Log
    {
        [LoggerMessage(EventIds.ForwardingFailed, LogLevel.Warning,
            "The destination {Destination} of the cluster {Cluster} failed: {Error} ({Cause}); {LeftOut} more since the last line",
            EventName = nameof(EventIds.ForwardingFailed))]
        public static partial void Failed(ILogger logger, string cluster, string destination, string error, string cause, int leftOut);

        [LoggerMessage(EventIds.NoDestination, LogLevel.Warning,
            "The cluster {Cluster} has no healthy destination that takes requests; {LeftOut} more requests since the last line",
            EventName = nameof(EventIds.NoDestination))]
        public static partial void NoDestination(ILogger logger, string cluster, int leftOut);
    }
}
