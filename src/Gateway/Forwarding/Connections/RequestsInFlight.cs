using System.Net.Sockets;
using Gateway.Edge;
using Gateway.Networking;
using Gateway.Telemetry;
using IotCredentials.Failures;
using IotCredentials.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Options;

namespace Gateway.Forwarding.Connections;

/// <summary>
/// Bounds the requests that are forwarded at once, of all callers and of each, by the process's <see cref="FileDescriptors"/>. Each may take a connection to a
/// service, and over HTTP/2 one connection of a client has many requests.
/// </summary>
internal sealed class RequestsInFlight
{
    // While at most an eighth is in use, a request costs two additions: callers are not told apart.
    private const int Quiet = 8;

    // A caller may have a quarter of what is free, so that even after many such callers there is something left for others.
    private const int Share = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _byCaller = new(StringComparer.Ordinal);
    private readonly long _most;
    private readonly long _mostConnections;
    private long _requests;
    private long _connections;

    public RequestsInFlight(FileDescriptors descriptors, IOptions<KestrelServerOptions> kestrel)
    {
        _most = descriptors.Requests(kestrel.Value.Limits.MaxConcurrentConnections);
        _mostConnections = _most + descriptors.Spare;
    }

    /// <summary>The requests that are being forwarded.</summary>
    public long Count => Volatile.Read(ref _requests);

    /// <summary>The open connections to services, those that wait for a request included.</summary>
    public long Connections => Volatile.Read(ref _connections);

    /// <summary>Counts a request from before it is forwarded until its exchange has ended.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var inUse = Interlocked.Increment(ref _requests);
        var caller = inUse > _most / Quiet ? CallerKey.Of(context) : null;
        if (caller is not null && !TryEnter(caller, _most - inUse))
        {
            Interlocked.Decrement(ref _requests);
            ErrorResponse.SetRetryAfter(context.Response, TimeSpan.Zero);
            await ErrorResponse.WriteAsync(
                context, inUse > _most ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status429TooManyRequests, GatewayReason.InFlight);
            return;
        }

        try
        {
            await next(context);
        }
        finally
        {
            if (caller is not null) Leave(caller);
            Interlocked.Decrement(ref _requests);
        }
    }

    /// <summary>
    /// Connects to a service as the HTTP client itself does. Connections are counted by themselves, because some belong to no request: those that wait for
    /// the next one, and attempts whose request has ended.
    /// </summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket? socket = null;
        try
        {
            if (Interlocked.Increment(ref _connections) > _mostConnections) throw new NoConnectionLeftException();
            socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new Connection(socket, this);
        }
        catch
        {
            socket?.Dispose();
            Interlocked.Decrement(ref _connections);
            throw;
        }
    }

    private bool TryEnter(string caller, long free)
    {
        lock (_lock)
        {
            var held = _byCaller.GetValueOrDefault(caller);
            if (held * (long)Share > free) return false;
            _byCaller[caller] = held + 1;
            return true;
        }
    }

    private void Leave(string caller)
    {
        lock (_lock)
        {
            if (--_byCaller[caller] == 0) _byCaller.Remove(caller);
        }
    }

    private sealed class Connection(Socket socket, RequestsInFlight requests) : NetworkStream(socket, ownsSocket: true)
    {
        private int _isReleased;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (Interlocked.Exchange(ref _isReleased, 1) == 0) Interlocked.Decrement(ref requests._connections);
        }
    }
}

/// <summary>Adds the bound on requests in flight.</summary>
internal static class RequestsInFlightExtensions
{
    public static void UseRequestsInFlight(this IReverseProxyApplicationBuilder pipeline)
    {
        var requests = pipeline.ApplicationServices.GetRequiredService<RequestsInFlight>();
        pipeline.Use((context, next) => requests.InvokeAsync(context, next));
    }
}

/// <summary>The gateway has as many connections to services as it may have. No service has failed.</summary>
internal sealed class NoConnectionLeftException() : SocketException((int)SocketError.TooManyOpenSockets)
{
    /// <summary>Whether a request failed for this.</summary>
    public static bool IsCauseOf(Exception? failure) => FailureText.Find<NoConnectionLeftException>(failure) is not null;
}
