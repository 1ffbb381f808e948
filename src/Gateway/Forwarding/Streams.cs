using System.Net;
using Gateway.Authentication;
using Gateway.Management;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// Ends what would never end by itself, an upgraded connection, <c>text/event-stream</c> or <c>application/grpc</c>, when its caller's token
/// expires and when the edge drains. Whatever the service and the client do: the connection is cut under them.
/// </summary>
internal sealed class Streams(TimeProvider time, Drain drain) : ITransformProvider
{
    // Some days before a timer's longest.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(45);

    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context)
    {
        context.AddRequestTransform(transform =>
        {
            if (!IsGrpc(transform.HttpContext.Request.ContentType)) return default;
            // A service may take a call's messages for as long as they come, and answer only then.
            EndWithToken(transform.HttpContext);
            // A client's own is for this hop; some of gRPC's servers refuse a call without it.
            transform.ProxyRequest.Headers.TryAddWithoutValidation("TE", "trailers");
            return default;
        });
        // The last of a route's: it sends the head of an answer on.
        context.AddResponseTransform(async transform =>
        {
            var http = transform.HttpContext;
            if (transform.ProxyResponse is not { } answer || !(IsUpgraded(http, answer) || IsStream(answer))) return;
            // As for an upgrade: a route's own timeout is for the beginning of an answer.
            http.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
            if (!IsGrpc(http.Request.ContentType)) EndWithToken(http);
            http.Response.RegisterForDispose(drain.StreamsEnd.Register(http.Abort));
            // YARP would keep it until the first event or message. Of a gRPC call that has already failed there will be none.
            if (!IsUpgraded(http, answer) && !answer.Headers.Contains("grpc-status")) await http.Response.Body.FlushAsync(transform.CancellationToken);
        });
    }

    private static bool IsUpgraded(HttpContext context, HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.SwitchingProtocols || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    // As it is written, since clients read on where .NET finds no media type, such as behind a `;` too many.
    private static bool IsStream(HttpResponseMessage answer) =>
        answer.Content.Headers.NonValidated.TryGetValues("Content-Type", out var types)
        && types.Any(static type => IsGrpc(type) || type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase));

    // With its variants, such as application/grpc+proto and application/grpc-web.
    private static bool IsGrpc(string? type) => type?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    private void EndWithToken(HttpContext context)
    {
        if (CallerIdentity.Of(context.User) is not { } caller) return;
        var left = caller.ExpiresAt - time.GetUtcNow();
        var timer = time.CreateTimer(static state => ((HttpContext)state!).Abort(), context, Clamp(left), Timeout.InfiniteTimeSpan);
        // It waits for a callback that runs: the next request may get the same context.
        context.Response.RegisterForDisposeAsync(timer);
    }

    private static TimeSpan Clamp(TimeSpan left) => left < TimeSpan.Zero ? TimeSpan.Zero : left < s_longest ? left : s_longest;
}
