using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Edge;

/// <summary>
/// Closes the connection of a request over HTTP/1.1 whose body was not read to its end. When the client has closed its side, Kestrel does not drain the body:
/// it would parse the rest, which a client of a proxy in front may have written, as the connection's next requests.
/// </summary>
internal static class UnreadBodies
{
    /// <summary>
    /// Watches every request's body. If it has not been read when the response starts, the response says that the connection closes. A body that has fully
    /// arrived, and that no service is to get because <paramref name="isOurs"/>, is discarded instead.
    /// </summary>
    public static void UseUnreadBodies(this IApplicationBuilder app, Func<HttpContext, bool> isOurs)
    {
        Func<object, Task> starting = state =>
        {
            CloseUnlessRead((HttpContext)state);
            return Task.CompletedTask;
        };
        app.Use((context, next) =>
            ReceivedStream.Wrap(context) is null || HttpProtocol.IsHttp2(context.Request.Protocol) ? next(context) : WatchAsync(context, next));

        async Task WatchAsync(HttpContext context, RequestDelegate next)
        {
            context.Response.OnStarting(starting, context);
            try
            {
                await next(context);
            }
            finally
            {
                // The response of a client that has left never starts.
                CloseUnlessRead(context);
            }
        }

        void CloseUnlessRead(HttpContext context)
        {
            if (context.Request.Body is ReceivedStream body && (body.IsReceived || (isOurs(context) && body.TryDiscard()))) return;
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }
}
