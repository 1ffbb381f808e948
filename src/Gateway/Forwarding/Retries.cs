using System.Diagnostics;
using Gateway.LoadBalancing;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Forwarding;

/// <summary>Endpoint metadata: how often a request without any response is sent again.</summary>
internal sealed record RetryLimit(int Retries);

/// <summary>
/// Sends a request to another destination when the first sent no response: it could not be reached, closed the connection or was silent for too long. Only
/// idempotent requests are retried (RFC 9110, 9.2.2), and only without a body, since none is buffered. Once a service has begun to respond, that response is
/// final.
/// </summary>
internal static class Retries
{
    // The forwarder adds these at every try, and an attribute of a span must be there once.
    private static readonly string[] s_tagsOfTry = ["proxy.route_id", "proxy.cluster_id", "proxy.destination_id"];
    private static readonly HashSet<string> s_idempotent = new(StringComparer.Ordinal) { "GET", "HEAD", "OPTIONS", "PUT", "DELETE" };

    public static void UseRetries(this IReverseProxyApplicationBuilder pipeline) => pipeline.Use(static (context, next) =>
        context.GetEndpoint()?.Metadata.GetMetadata<RetryLimit>() is { } limit && MayBeSentAgain(context)
            ? SendAsync(context, next, limit.Retries)
            : next(context));

    /// <summary>Whether a request with this method may be sent again.</summary>
    public static bool IsIdempotent(string method) => s_idempotent.Contains(method);

    private static bool MayBeSentAgain(HttpContext context) =>
        IsIdempotent(context.Request.Method) && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false };

    private static async Task SendAsync(HttpContext context, RequestDelegate next, int retries)
    {
        var headers = context.Response.Headers.ToArray();
        var proxy = context.GetReverseProxyFeature();
        List<DestinationState> failed = [];
        while (true)
        {
            await next(context);
            if (failed.Count == retries || !HasNoResponse(context)) return;
            failed.Add(proxy.ProxiedDestination!);
            var others = Others(proxy.Route.Cluster!.DestinationsState, failed);
            if (others.Count == 0) return;

            proxy.AvailableDestinations = others;
            proxy.ProxiedDestination = null;
            context.Features.Set<IForwarderErrorFeature>(null);
            foreach (var tag in s_tagsOfTry) Activity.Current?.SetTag(tag, null);
            // Transforms have already run for the error response.
            context.Response.Clear();
            foreach (var header in headers) context.Response.Headers.Append(header.Key, header.Value);
        }
    }

    private static bool HasNoResponse(HttpContext context) =>
        context.Features.Get<IForwarderErrorFeature>() is { Error: ForwarderError.Request or ForwarderError.RequestTimedOut } failure
        && !ForwardingErrors.IsNotOfService(context, failure)
        && !context.Response.HasStarted
        && !context.RequestAborted.IsCancellationRequested;

    // As a last resort, use a destination that is marked unhealthy: it may have recovered, and the request would fail without it.
    private static List<DestinationState> Others(ClusterDestinationsState destinations, List<DestinationState> failed)
    {
        return Of(destinations.AvailableDestinations) is { Count: > 0 } available ? available : Of(destinations.AllDestinations);

        List<DestinationState> Of(IReadOnlyList<DestinationState> some) =>
            [.. some.Except(failed).Where(static destination => DestinationWeight.Of(destination).TakesRequests)];
    }
}
