using Gateway.Edge;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Logs;

/// <summary>Counts the bodies of services' responses that do not announce their length.</summary>
internal sealed class CountedResponses(LogOutputs logs) : ITransformProvider
{
    public void ValidateRoute(TransformRouteValidationContext context) { }

    public void ValidateCluster(TransformClusterValidationContext context) { }

    public void Apply(TransformBuilderContext context) => context.AddResponseTransform(transform =>
    {
        var context = transform.HttpContext;
        if (logs.Access is null || transform.ProxyResponse is null || context.Response.ContentLength is not null) return default;
        var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        context.Features.Set<IHttpResponseBodyFeature>(new CountedBody(body, new CountedStream(body.Stream)));
        return default;
    });

    /// <summary>
    /// The server still starts and completes the response. The framework's own wrapper completes the stream only, and an HTTP/2 client would get a gRPC call's
    /// error without the end of the stream: many clients then report an internal error instead.
    /// </summary>
    private sealed class CountedBody(IHttpResponseBodyFeature body, CountedStream stream) : StreamResponseBodyFeature(stream, body)
    {
        public override Task StartAsync(CancellationToken cancellationToken = default) => PriorFeature!.StartAsync(cancellationToken);

        public override Task CompleteAsync() => PriorFeature!.CompleteAsync();
    }
}
