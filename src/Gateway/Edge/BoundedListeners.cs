using System.IO.Pipelines;
using System.Net;
using Gateway.Networking;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Gateway.Edge;

/// <summary>
/// Bounds the open connections of all endpoints together. Kestrel counts those of each endpoint alone, and it accepts a flood of connections faster than it
/// closes those that are too many. Here a connection that is too many is closed before the next one of its endpoint is accepted.
/// </summary>
internal sealed class BoundedListeners(
    SocketTransportFactory sockets, FileDescriptors descriptors, IOptions<KestrelServerOptions> kestrel, GatewayMetrics metrics) : IConnectionListenerFactory
{
    private readonly long _most = descriptors.Connections(kestrel.Value.Limits.MaxConcurrentConnections) + descriptors.Spare;
    private long _count;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(this, await sockets.BindAsync(endpoint, cancellationToken));

    private async ValueTask<ConnectionContext?> AcceptAsync(IConnectionListener listener, CancellationToken cancellationToken)
    {
        while (await listener.AcceptAsync(cancellationToken) is { } connection)
        {
            var counted = new Connection(this, connection);
            if (Interlocked.Increment(ref _count) <= _most) return counted;
            metrics.ConnectionClosed("all");
            await counted.DisposeAsync();
        }

        return null;
    }

    private sealed class Listener(BoundedListeners listeners, IConnectionListener inner) : IConnectionListener
    {
        public EndPoint EndPoint => inner.EndPoint;

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => listeners.AcceptAsync(inner, cancellationToken);

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => inner.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private sealed class Connection(BoundedListeners listeners, ConnectionContext inner) : ConnectionContext
    {
        private int _isDisposed;

        public override string ConnectionId
        {
            get => inner.ConnectionId;
            set => inner.ConnectionId = value;
        }

        public override IFeatureCollection Features => inner.Features;

        public override IDictionary<object, object?> Items
        {
            get => inner.Items;
            set => inner.Items = value;
        }

        public override IDuplexPipe Transport
        {
            get => inner.Transport;
            set => inner.Transport = value;
        }

        public override EndPoint? LocalEndPoint
        {
            get => inner.LocalEndPoint;
            set => inner.LocalEndPoint = value;
        }

        public override EndPoint? RemoteEndPoint
        {
            get => inner.RemoteEndPoint;
            set => inner.RemoteEndPoint = value;
        }

        public override CancellationToken ConnectionClosed
        {
            get => inner.ConnectionClosed;
            set => inner.ConnectionClosed = value;
        }

        public override void Abort() => inner.Abort();

        public override void Abort(ConnectionAbortedException abortReason) => inner.Abort(abortReason);

        public override async ValueTask DisposeAsync()
        {
            try
            {
                await inner.DisposeAsync();
            }
            finally
            {
                if (Interlocked.Exchange(ref _isDisposed, 1) == 0) Interlocked.Decrement(ref listeners._count);
                await base.DisposeAsync();
            }
        }
    }
}
