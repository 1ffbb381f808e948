using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Tests.Forwarding;

/// <summary>A service that speaks HTTP/2 alone, as gRPC's do: it sends each message back as it comes, and a status behind them.</summary>
internal sealed class GrpcService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GrpcService(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    /// <param name="maxHeaders">How many bytes of a request's headers the service takes.</param>
    public static async Task<GrpcService> StartAsync(int maxHeaders = 32 * 1024)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MaxRequestHeadersTotalSize = maxHeaders;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        var app = builder.Build();
        app.Run(AnswerAsync);
        await app.StartAsync();
        return new(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task AnswerAsync(HttpContext context)
    {
        // As the servers of gRPC's own C core do.
        var isGrpc = context.Request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
        if (isGrpc && context.Request.Headers.TE != "trailers")
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        // One that takes messages and says nothing until they end.
        var answersLast = context.Request.Path.Value!.EndsWith("/collect", StringComparison.Ordinal);
        context.Response.ContentType = "application/grpc";
        if (!answersLast) await context.Response.Body.FlushAsync();
        var buffer = new byte[1024];
        for (int read; (read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            if (answersLast) continue;
            await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
            await context.Response.Body.FlushAsync();
        }

        context.Response.AppendTrailer("grpc-status", "0");
    }
}
