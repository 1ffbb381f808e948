using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Gateway.Cors;

/// <summary>Applies CORS on routes that have a policy. Only that policy is in effect: a service's own <c>Access-Control-*</c> headers are removed.</summary>
internal static class RouteCors
{
    public static IReverseProxyBuilder AddRouteCors(this IReverseProxyBuilder proxy)
    {
        proxy.Services.AddCors();
        proxy.Services.AddSingleton<ITransformProvider, OnlyPolicy>();
        return proxy;
    }

    /// <summary>Runs CORS only on routes with a CORS policy; on others it allocates for nothing.</summary>
    public static void UseRouteCors(this IApplicationBuilder app) => app.UseWhen(HasPolicy, static cors =>
    {
        cors.Use(static (context, next) =>
        {
            // OnStarting callbacks run last-registered-first. This one is registered first, so it runs after all others have written their Vary.
            context.Response.OnStarting(static response => VaryByOriginAsync((HttpResponse)response), context.Response);
            return next(context);
        });
        // UseCors would compile an expression that finds the policies for each request, and load the compiler for it at every start.
        var services = cors.ApplicationServices;
        var policies = services.GetRequiredService<ICorsPolicyProvider>();
        cors.Use(next =>
        {
            var middleware = new CorsMiddleware(next, services.GetRequiredService<ICorsService>(), services.GetRequiredService<ILoggerFactory>());
            return context => middleware.Invoke(context, policies);
        });
    });

    private static bool HasPolicy(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<ICorsMetadata>() is not null;

    // ASP.NET Core adds Vary only to responses with CORS headers. A response to an origin that is not allowed needs it too, so that a cache does not serve it
    // to an allowed origin.
    private static Task VaryByOriginAsync(HttpResponse response)
    {
        var vary = response.Headers.Vary;
        if (!Holds(vary, HeaderNames.Origin) && !Holds(vary, "*")) response.Headers.Append(HeaderNames.Vary, HeaderNames.Origin);
        return Task.CompletedTask;
    }

    private static bool Holds(StringValues header, string item)
    {
        foreach (var value in header)
        {
            foreach (var range in value.AsSpan().Split(','))
            {
                if (value.AsSpan(range).Trim().Equals(item, StringComparison.OrdinalIgnoreCase)) return true;
            }
        }

        return false;
    }

    private sealed class OnlyPolicy : ITransformProvider
    {
        private const string Prefix = "Access-Control-";

        public void ValidateRoute(TransformRouteValidationContext context) { }

        public void ValidateCluster(TransformClusterValidationContext context) { }

        public void Apply(TransformBuilderContext context)
        {
            // The policy is in the endpoint's metadata. YARP's own route config names none.
            context.AddResponseTransform(static transform =>
            {
                if (HasPolicy(transform.HttpContext)) Remove(transform.HttpContext.Response.Headers);
                return default;
            });
            context.AddResponseTrailersTransform(static transform =>
            {
                if (HasPolicy(transform.HttpContext) && transform.HttpContext.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is { } trailers)
                    Remove(trailers);
                return default;
            });
        }

        private static void Remove(IHeaderDictionary headers)
        {
            List<string>? removed = null;
            foreach (var (name, _) in headers)
            {
                if (name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) (removed ??= []).Add(name);
            }

            foreach (var name in removed ?? []) headers.Remove(name);
        }
    }
}
