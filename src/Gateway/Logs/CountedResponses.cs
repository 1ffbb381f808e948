using Gateway.Edge;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Logs;

/// <summary>Counts the bodies of services' responses that do not announce their length.</summary>
internal sealed class CountedResponses(AccessLog log) : ITransformProvider
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
