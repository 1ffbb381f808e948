using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Forwarding;

/// <summary>
/// Keeps the limit of a request's body. YARP takes it off for each request over HTTP/2 that calls itself gRPC, to whatever route.
/// </summary>
internal static class BodyLimit
{
    public static void UseBodyLimit(this IApplicationBuilder pipeline) => pipeline.Use(static (context, next) =>
    {
        if (context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            // YARP would set it after all steps, just before it takes it off.
            if (context.GetRouteModel().Config.MaxRequestBodySize is { } ofRoute) limit.MaxRequestBodySize = ofRoute < 0 ? null : ofRoute;
            context.Features.Set<IHttpMaxRequestBodySizeFeature>(new Kept(limit));
        }

        return next(context);
    });

    private sealed class Kept(IHttpMaxRequestBodySizeFeature limit) : IHttpMaxRequestBodySizeFeature
    {
        // YARP logs a warning for each request whose limit it cannot change.
        public bool IsReadOnly => false;

        public long? MaxRequestBodySize
        {
            get => limit.MaxRequestBodySize;
            set { }
        }
    }
}
