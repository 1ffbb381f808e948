using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Model;

namespace Gateway.Forwarding;

/// <summary>Endpoint metadata: how often a request of which nothing was answered is sent again.</summary>
internal sealed record RetryLimit(int Retries);

/// <summary>
/// Sends a request to another destination when one answered nothing of it: it could not be reached, hung up or was silent for too long. Only
/// what may be sent twice is (RFC 9110, 9.2.2), and only without a body, since none is kept. What a service answers is its answer.
/// </summary>
internal static class Retries
{
    private static readonly HashSet<string> s_idempotent = new(StringComparer.Ordinal) { "GET", "HEAD", "OPTIONS", "PUT", "DELETE" };

    public static void UseRetries(this IReverseProxyApplicationBuilder pipeline) => pipeline.Use(static (context, next) =>
        context.GetEndpoint()?.Metadata.GetMetadata<RetryLimit>() is { } limit && MayBeSentAgain(context) ? SendAsync(context, next, limit.Retries) : next(context));

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
            if (failed.Count == retries || !IsUnanswered(context)) return;
            failed.Add(proxy.ProxiedDestination!);
            var others = Others(proxy.Route.Cluster!.DestinationsState, failed);
            if (others.Count == 0) return;

            proxy.AvailableDestinations = others;
            proxy.ProxiedDestination = null;
            context.Features.Set<IForwarderErrorFeature>(null);
            // Transforms have run for the answer that was to be an error.
            context.Response.Clear();
            foreach (var header in headers) context.Response.Headers.Append(header.Key, header.Value);
        }
    }

    private static bool IsUnanswered(HttpContext context) =>
        context.Features.Get<IForwarderErrorFeature>() is { Error: ForwarderError.Request or ForwarderError.RequestTimedOut }
        && !context.Response.HasStarted
        && !context.RequestAborted.IsCancellationRequested;

    // As a last resort one that is taken for sick: it may be back, and the request would fail without it.
    private static List<DestinationState> Others(ClusterDestinationsState destinations, List<DestinationState> failed) =>
        destinations.AvailableDestinations.Except(failed).ToList() is { Count: > 0 } available ? available : [.. destinations.AllDestinations.Except(failed)];
}
