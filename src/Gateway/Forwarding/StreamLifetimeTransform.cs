using System.Net;
using Gateway.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Forwarding;

/// <summary>
/// Ends streams when the edge drains, because they may never end by themselves: an upgraded connection, <c>text/event-stream</c> or <c>application/grpc</c>.
/// The connection is aborted, whatever the service and the client do.
/// </summary>
internal sealed class StreamLifetimeTransform(Drain drain) : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context)
    {
        context.AddRequestTransform(transform =>
        {
            var http = transform.HttpContext;
            if (!IsGrpc(http.Request.ContentType)) return default;
            // Some services send no headers before their first message, which may never come.
            EndWithDrain(http);
            // The client's own TE is for this hop. Some gRPC servers refuse a call without the header.
            transform.ProxyRequest.Headers.TryAddWithoutValidation("TE", "trailers");
            return default;
        });
        // This is a route's last response transform, because it sends the response headers.
        context.AddResponseTransform(transform =>
            transform.ProxyResponse is { } response && (IsUpgraded(transform.HttpContext, response) || IsStream(response))
                ? BeginStreamAsync(transform, response)
                : default);
    }

    private async ValueTask BeginStreamAsync(ResponseTransformContext transform, HttpResponseMessage response)
    {
        var http = transform.HttpContext;
        // As for an upgrade, a route's own timeout covers only the beginning of the response.
        http.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
        if (!IsGrpc(http.Request.ContentType)) EndWithDrain(http);
        // YARP would hold the headers back until the first event or message. A gRPC call that has already failed sends none.
        if (!IsUpgraded(http, response) && !response.Headers.Contains("grpc-status")) await http.Response.Body.FlushAsync(transform.CancellationToken);
    }

    private void EndWithDrain(HttpContext http) => http.Response.RegisterForDispose(drain.StreamsEnd.Register(http.Abort));

    private static bool IsUpgraded(HttpContext context, HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.SwitchingProtocols || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    // Compare the raw value: clients still read a type that .NET cannot parse, such as one with an extra `;`.
    private static bool IsStream(HttpResponseMessage response) =>
        response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var types)
        && types.Any(static type => IsGrpc(type) || type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase));

    // Includes the variants, such as application/grpc+proto and application/grpc-web.
    private static bool IsGrpc(string? type) => type?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
}
