using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace IotCredentials.Redis;

/// <summary>
/// The client's sockets. The client has no method to drop a working connection. When its socket is closed, it resolves the name and connects again.
/// </summary>
internal sealed class RedisSockets
{
    private readonly ConcurrentDictionary<Socket, bool> _open = new();

    /// <summary>Tracks every socket that the client opens, also through the operator's own tunnel.</summary>
    /// <param name="tunnel">The operator's own tunnel.</param>
    /// <param name="sentinels">Nodes that are not tracked: the client queries them for the primary when the other connections are closed.</param>
    public Tunnel Over(Tunnel? tunnel, IReadOnlyCollection<EndPoint> sentinels) => new Watching(this, tunnel, sentinels);

    public void Close()
    {
        foreach (var socket in _open.Keys) socket.Dispose();
        _open.Clear();
    }

    private void Add(Socket opened)
    {
        foreach (var socket in _open.Keys.Where(static socket => socket.SafeHandle.IsClosed)) _open.TryRemove(socket, out _);
        _open[opened] = true;
    }

    private sealed class Watching(RedisSockets sockets, Tunnel? inner, IReadOnlyCollection<EndPoint> sentinels) : Tunnel
    {
        public override ValueTask<EndPoint?> GetSocketConnectEndpointAsync(EndPoint endpoint, CancellationToken cancellationToken) =>
            inner?.GetSocketConnectEndpointAsync(endpoint, cancellationToken) ?? base.GetSocketConnectEndpointAsync(endpoint, cancellationToken);

        public override ValueTask BeforeSocketConnectAsync(
            EndPoint endPoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken)
        {
            if (socket is not null && !sentinels.Contains(endPoint)) sockets.Add(socket);
            return inner?.BeforeSocketConnectAsync(endPoint, connectionType, socket, cancellationToken) ?? default;
        }

        public override ValueTask<Stream?> BeforeAuthenticateAsync(
            EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken) =>
            inner?.BeforeAuthenticateAsync(endpoint, connectionType, socket, cancellationToken) ?? default;
    }
}
