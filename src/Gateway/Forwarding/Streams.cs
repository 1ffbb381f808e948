using System.Net;
using Gateway.Management;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// Ends what would never end by itself, an upgraded connection, <c>text/event-stream</c> or <c>application/grpc</c>, when the edge drains.
/// Whatever the service and the client do: the connection is cut under them.
/// </summary>
internal sealed class Streams(Drain drain) : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context)
    {
        context.AddRequestTransform(transform =>
        {
            if (!IsGrpc(transform.HttpContext.Request.ContentType)) return default;
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
}
