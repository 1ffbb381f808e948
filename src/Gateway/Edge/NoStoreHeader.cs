using Yarp.ReverseProxy.Model;

namespace Gateway.Edge;

/// <summary>Marks every response on a module's route <c>no-store</c>, whichever step responds: the module, a check before it, CORS.</summary>
internal static class NoStoreHeader
{
    public static void UseNoStore(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.Metadata?.ContainsKey("Module") == true)
        {
            // OnStarting callbacks run last-registered-first. This one is registered before the exception handler's, so it runs after it and wins.
            context.Response.OnStarting(static response =>
            {
                ((HttpResponse)response).Headers.CacheControl = "no-store";
                return Task.CompletedTask;
            }, context.Response);
        }

        return next(context);
    });
}
