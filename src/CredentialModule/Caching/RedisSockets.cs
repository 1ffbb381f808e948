using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;
using StackExchange.Redis.Configuration;

namespace CredentialModule.Caching;

/// <summary>The client's sockets. The client has no way to give up a connection that works; when one of these is closed, it connects again, and resolves the name again.</summary>
internal sealed class RedisSockets
{
    private readonly ConcurrentDictionary<Socket, bool> _open = new();

    /// <summary>Sees every socket that the client opens, also through the operator's own tunnel.</summary>
    /// <param name="tunnel">The operator's own.</param>
    /// <param name="sentinels">Nodes that are not seen: the client asks them which node is the primary when the other connections end.</param>
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

        public override ValueTask BeforeSocketConnectAsync(EndPoint endPoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken)
        {
            if (socket is not null && !sentinels.Contains(endPoint)) sockets.Add(socket);
            return inner?.BeforeSocketConnectAsync(endPoint, connectionType, socket, cancellationToken) ?? default;
        }

        public override ValueTask<Stream?> BeforeAuthenticateAsync(EndPoint endpoint, ConnectionType connectionType, Socket? socket, CancellationToken cancellationToken) =>
            inner?.BeforeAuthenticateAsync(endpoint, connectionType, socket, cancellationToken) ?? default;
    }
}
