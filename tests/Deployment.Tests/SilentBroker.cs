using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Deployment.Tests;

/// <summary>The first step of MQTT over a WebSocket that a broker leaves without a response.</summary>
internal enum SilentFrom
{
    Handshake,
    Connect,
    Subscribe,
}

/// <summary>A broker that accepts connections, and falls silent at a step.</summary>
internal sealed class SilentBroker : IAsyncDisposable
{
    private static readonly byte[] s_connectionAccepted = [0x20, 2, 0, 0];

    private readonly CancellationTokenSource _ended = new();
    private readonly WebApplication _app;
    private int _connections;

    private SilentBroker(WebApplication app) => _app = app;

    public string Url => _app.Urls.Single();

    public int Connections => Volatile.Read(ref _connections);

    public static async Task<SilentBroker> StartAsync(SilentFrom step)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var broker = new SilentBroker(builder.Build());
        broker._app.UseWebSockets();
        broker._app.Run(context => broker.ServeAsync(context, step));
        await broker._app.StartAsync();
        return broker;
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _app.DisposeAsync();
        _ended.Dispose();
    }

    private async Task ServeAsync(HttpContext context, SilentFrom step)
    {
        Interlocked.Increment(ref _connections);
        using var left = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token, context.RequestAborted);
        try
        {
            if (step == SilentFrom.Handshake) await Task.Delay(Timeout.Infinite, left.Token);
            using var socket = await context.WebSockets.AcceptWebSocketAsync("mqtt");
            if (step == SilentFrom.Subscribe) await socket.SendAsync(s_connectionAccepted, WebSocketMessageType.Binary, endOfMessage: true, left.Token);
            var buffer = new byte[1024];
            while ((await socket.ReceiveAsync(buffer, left.Token)).MessageType != WebSocketMessageType.Close) continue;
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException)
        {
            // The client has left, or the test is over.
        }
    }
}
