using System.Net;
using Gateway.Configuration;
using Gateway.Networking;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Gateway.Edge;

/// <summary>
/// Keeps one address from occupying the edge's connections. The number of its connections is limited, and each must send its first request, TLS handshake
/// included, within <c>Kestrel:Limits:RequestHeadersTimeout</c> plus five seconds. Behind <c>Edge:TrustedProxies</c> many clients share an address, so
/// connections from there are not limited.
/// </summary>
internal sealed partial class ConnectionLimits
{
    // If the total is small, a quarter of it would be too few for a browser.
    private const long LeastPerAddress = 100;

    private static readonly TimeSpan s_betweenLines = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _byAddress = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<IPNetwork> _trusted;
    private readonly FileDescriptors _descriptors;
    private readonly int? _perAddress;
    private readonly TimeProvider _time;
    private readonly GatewayMetrics _metrics;
    private readonly ILogger<ConnectionLimits> _logger;
    private long? _loggedAt;
    private long _notLogged;

    public ConnectionLimits(
        GatewayOptions options, FileDescriptors descriptors, TimeProvider time, GatewayMetrics metrics, ILogger<ConnectionLimits> logger)
    {
        (_perAddress, _descriptors, _time, _metrics, _logger) = (options.Edge.ConnectionsPerAddress, descriptors, time, metrics, logger);
        _trusted = TrustedProxies.NetworksOf(options);
    }

    /// <summary>The most connections that one address may hold; null if there is no bound.</summary>
    public static long? PerAddress(int? configured, KestrelServerLimits limits) =>
        configured ?? (limits.MaxConcurrentConnections is { } all ? Math.Max(LeastPerAddress, all / 4) : (long?)null);

    /// <summary>Lowers <c>MaxConcurrentConnections</c> to what the process's file descriptors allow.</summary>
    public void Fit(KestrelServerLimits limits)
    {
        if (limits.MaxConcurrentConnections is not { } configured) return;
        var most = _descriptors.Connections(configured);
        if (most == configured) return;
        limits.MaxConcurrentConnections = most;
        Log.Lowered(_logger, _descriptors.Limit, configured, most);
    }

    public Task HoldAsync(ConnectionContext connection, ConnectionDelegate next, KestrelServerLimits limits) =>
        connection.RemoteEndPoint is IPEndPoint { Address: var address } && !AddressList.Contains(_trusted, address)
            ? HoldAsync(connection, next, limits, ClientAddress.Of(address))
            : next(connection);

    private async Task HoldAsync(ConnectionContext connection, ConnectionDelegate next, KestrelServerLimits limits, string client)
    {
        if (!TryEnter(client, PerAddress(_perAddress, limits) ?? long.MaxValue))
        {
            Refused(client);
            connection.Abort(new ConnectionAbortedException("The client's address holds as many connections as it may."));
            return;
        }

        try
        {
            await using var first = new FirstRequest(connection, limits.RequestHeadersTimeout, _time, _metrics);
            connection.Features.Set(first);
            await next(connection);
        }
        finally
        {
            Leave(client);
        }
    }

    private bool TryEnter(string client, long most)
    {
        lock (_lock)
        {
            var held = _byAddress.GetValueOrDefault(client);
            if (held >= most) return false;
            _byAddress[client] = held + 1;
            return true;
        }
    }

    private void Leave(string client)
    {
        lock (_lock)
        {
            if (--_byAddress[client] == 0) _byAddress.Remove(client);
        }
    }

    private void Refused(string client)
    {
        _metrics.ConnectionClosed("address");
        long count;
        lock (_lock)
        {
            count = ++_notLogged;
            if (_loggedAt is { } at && _time.GetElapsedTime(at) < s_betweenLines) return;
            (_loggedAt, _notLogged) = (_time.GetTimestamp(), 0);
        }

        Log.Refused(_logger, client, count);
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ConnectionRefused, LogLevel.Warning,
            "The address {Client} holds as many connections as Edge:ConnectionsPerAddress allows, and further ones are closed: "
            + "{Count} of all addresses since the last such line",
            EventName = nameof(EventIds.ConnectionRefused))]
        public static partial void Refused(ILogger logger, string client, long count);

        [LoggerMessage(EventIds.FewFileDescriptors, LogLevel.Warning,
            "The process may open {Limit} files, too few for {Configured} connections and their requests: Kestrel:Limits:MaxConcurrentConnections is "
            + "lowered to {Most}. Raise the process's limit (LimitNOFILE, ulimit -n), or write a smaller number",
            EventName = nameof(EventIds.FewFileDescriptors))]
        public static partial void Lowered(ILogger logger, long limit, long configured, long most);
    }
}

/// <summary>
/// A connection feature. It closes the connection unless its first request arrives in time. Kestrel would keep a silent connection for its KeepAliveTimeout.
/// </summary>
internal sealed class FirstRequest : IAsyncDisposable
{
    // Kestrel responds 408 to incomplete headers, and counts from their first byte. This timer must fire later.
    private static readonly TimeSpan s_later = TimeSpan.FromSeconds(5);

    // A timer takes 49 days at most.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(45);

    private readonly ConnectionContext _connection;
    private readonly GatewayMetrics _metrics;
    private readonly ITimer? _timer;
    private int _isOver;

    public FirstRequest(ConnectionContext connection, TimeSpan within, TimeProvider time, GatewayMetrics metrics)
    {
        (_connection, _metrics) = (connection, metrics);
        // Kestrel represents "no limit" as TimeSpan.MaxValue.
        if (within == TimeSpan.MaxValue) return;
        var due = within < s_longest ? within + s_later : s_longest;
        _timer = time.CreateTimer(static state => ((FirstRequest)state!).Close(), this, due, Timeout.InfiniteTimeSpan);
    }

    public void Arrived()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0) _timer?.Dispose();
    }

    // Waits until a running callback has ended.
    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? default;

    private void Close()
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0) return;
        _metrics.ConnectionClosed("silent");
        _connection.Abort(new ConnectionAbortedException("No request arrived in time."));
    }
}

/// <summary>Adds the limits on connections.</summary>
internal static class ConnectionLimitsExtensions
{
    public static void AddConnectionLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ConnectionLimits>();
        // Kestrel binds by the last factory that is registered.
        builder.Services.AddSingleton<SocketTransportFactory>().AddSingleton<IConnectionListenerFactory, BoundedListeners>();
        // Endpoint defaults run before an endpoint's own HTTPS, and so see a connection before its handshake.
        builder.Services.AddOptions<KestrelServerOptions>().Configure<ConnectionLimits>(static (kestrel, limits) =>
        {
            limits.Fit(kestrel.Limits);
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => connection => limits.HoldAsync(connection, next, kestrel.Limits)));
        });
    }

    /// <summary>Records that a connection's first request has arrived.</summary>
    public static void UseFirstRequests(this IApplicationBuilder app) => app.Use(static (context, next) =>
    {
        context.Features.Get<FirstRequest>()?.Arrived();
        return next(context);
    });
}
