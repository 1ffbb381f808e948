using Yarp.ReverseProxy.Model;

namespace Gateway.Edge;

/// <summary>Marks every answer of a module's route <c>no-store</c>, whoever gives it: the module, a check before it, CORS.</summary>
internal static class UnstoredAnswers
{
    public static void UseUnstoredAnswers(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RouteModel>()?.Config.Metadata?.ContainsKey("Module") == true)
        {
            // At the start of the answer: the exception handler writes its own value, and this one was registered before it and so runs after.
            context.Response.OnStarting(static response =>
            {
                ((HttpResponse)response).Headers.CacheControl = "no-store";
                return Task.CompletedTask;
            }, context.Response);
        }

        return next(context);
    });
}
