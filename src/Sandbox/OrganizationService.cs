using System.Globalization;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Http.Features;

namespace Sandbox;

/// <summary>
/// A downstream service. It responds to every request with JSON that echoes the request: <c>method</c>, <c>target</c>, <c>headers</c> and <c>bodyLength</c>.
/// The end of the path can select other behaviour: <c>…/status/404</c> responds with that status and an empty body, <c>…/slow/250</c> echoes after that many
/// milliseconds, <c>…/abort</c> drops the connection, <c>…/bytes/1024</c> sends that many bytes, <c>…/events</c> sends server-sent events without end and
/// <c>…/socket</c> echoes the messages of a WebSocket. For other services it is the <see cref="Directory"/> of organizations, at
/// <c>/organizations/{organizationId}</c>: what comes through the gateway, and so says who the caller is, is echoed there as well.
/// </summary>
public sealed class OrganizationService : IAsyncDisposable
{
    private LocalServer _server = null!;

    private OrganizationService()
    {
    }

    /// <summary>The address: <c>http://127.0.0.1:PORT</c>, without a trailing slash.</summary>
    public string Url => $"http://127.0.0.1:{_server.Port}";

    /// <summary>The received requests, each recorded after its body and before its response.</summary>
    public CallLog<ReceivedRequest> Requests { get; } = new();

    /// <summary>What the service says of where organizations live.</summary>
    public OrganizationPlaces Directory { get; } = new();

    /// <summary>The requests whose caller disconnected before the response was complete.</summary>
    public CallLog<ReceivedRequest> Abandoned { get; } = new();

    /// <summary>Starts the service.</summary>
    /// <param name="port">0 lets the system pick one.</param>
    /// <returns>The running service.</returns>
    public static async Task<OrganizationService> StartAsync(int port = 0)
    {
        var service = new OrganizationService();
        service._server = await LocalServer.StartAsync(port, service.RespondAsync);
        return service;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task RespondAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var received = await ReceiveAsync(context, cancellationToken);
        Requests.Add(received);
        try
        {
            await RespondAsync(context, received, cancellationToken);
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            Abandoned.Add(received);
            throw;
        }
    }

    private async Task RespondAsync(HttpContext context, ReceivedRequest received, CancellationToken cancellationToken)
    {
        var segments = received.Target.Split('?')[0].Split('/');
        switch (segments)
        {
            case ["", "organizations", var organization] when received.Method == "GET" && !received.Headers.ContainsKey("X-Gateway-Subject"):
                await Directory.RespondAsync(context, organization, cancellationToken);
                return;
            case [.., "abort"]:
                context.Abort();
                return;
            case [.., "status", var text] when Number(text) is >= 200 and <= 599 and var status:
                context.Response.StatusCode = status;
                return;
            case [.., "slow", var text] when Number(text) is { } milliseconds:
                await Task.Delay(milliseconds, cancellationToken);
                break;
            case [.., "bytes", var text] when long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var length):
                await SendAsync(context.Response, length, cancellationToken);
                return;
            case [.., "events"]:
                await SendEventsAsync(context.Response, cancellationToken);
                return;
            case [.., "socket"] when context.WebSockets.IsWebSocketRequest:
                await EchoAsync(context, cancellationToken);
                return;
        }

        await context.Response.WriteAsJsonAsync(received, cancellationToken);
    }

    private static async Task<ReceivedRequest> ReceiveAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var counter = new byte[16 * 1024];
        long length = 0;
        for (int read; (read = await context.Request.Body.ReadAsync(counter, cancellationToken)) > 0;) length += read;

        var headers = context.Request.Headers.ToDictionary(
            header => header.Key,
            header => (IReadOnlyList<string>)[.. header.Value.Select(value => value ?? "")],
            StringComparer.OrdinalIgnoreCase);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return new ReceivedRequest(context.Request.Method, target, headers, length);
    }

    private static async Task SendAsync(HttpResponse response, long length, CancellationToken cancellationToken)
    {
        response.ContentLength = length;
        var some = new byte[64 * 1024];
        for (var left = length; left > 0; left -= some.Length)
            await response.Body.WriteAsync(some.AsMemory(0, (int)Math.Min(left, some.Length)), cancellationToken);
    }

    private static async Task SendEventsAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.ContentType = "text/event-stream";
        for (var number = 0; ; number++)
        {
            await response.WriteAsync($"data: {number}\n\n", cancellationToken);
            await response.Body.FlushAsync(cancellationToken);
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }

    private static async Task EchoAsync(HttpContext context, CancellationToken cancellationToken)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[16 * 1024];
        while (await socket.ReceiveAsync(buffer, cancellationToken) is { MessageType: not WebSocketMessageType.Close } part)
            await socket.SendAsync(buffer.AsMemory(0, part.Count), part.MessageType, part.EndOfMessage, cancellationToken);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, cancellationToken);
    }

    private static int? Number(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
