using System.Diagnostics.Metrics;
using System.Net;
using Gateway.Configuration;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Gateway.Edge;

/// <summary>
/// Keeps one address from holding the edge's connections: so many at once, and each has to send its first request, TLS handshake included,
/// within <c>Kestrel:Limits:RequestHeadersTimeout</c> and five seconds. Behind <c>Edge:TrustedProxies</c> many clients share an address: those are not bounded.
/// </summary>
internal sealed partial class ConnectionLimits
{
    // Of few connections in all, a quarter would be none that a browser could use.
    private const long LeastPerAddress = 100;

    private static readonly TimeSpan s_betweenLines = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _byAddress = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<IPNetwork> _trusted;
    private readonly int? _perAddress;
    private readonly TimeProvider _time;
    private readonly Counter<long> _closed;
    private readonly ILogger<ConnectionLimits> _logger;
    private long? _loggedAt;
    private long _notLogged;

    public ConnectionLimits(GatewayOptions options, TimeProvider time, IMeterFactory meters, ILogger<ConnectionLimits> logger)
    {
        (_perAddress, _time, _logger) = (options.Edge.ConnectionsPerAddress, time, logger);
        _trusted = [.. options.Edge.TrustedProxies.SelectMany(proxy => AddressList.TryParse(proxy, out var networks, out _) ? networks : [])];
        _closed = meters.Create(GatewayMetrics.MeterName).CreateCounter<long>(
            "gateway.connections.closed", "{connection}", "Connections that were closed for one of the edge's bounds, by reason: address or silent.");
    }

    public Task HoldAsync(ConnectionContext connection, ConnectionDelegate next, KestrelServerLimits limits) =>
        connection.RemoteEndPoint is IPEndPoint { Address: var address } && !AddressList.Contains(_trusted, address)
            ? HoldAsync(connection, next, limits, ClientAddress.Of(address))
            : next(connection);

    private async Task HoldAsync(ConnectionContext connection, ConnectionDelegate next, KestrelServerLimits limits, string client)
    {
        if (!TryEnter(client, _perAddress ?? (limits.MaxConcurrentConnections is { } all ? Math.Max(LeastPerAddress, all / 4) : long.MaxValue)))
        {
            Refused(client);
            connection.Abort(new ConnectionAbortedException("The client's address holds as many connections as it may."));
            return;
        }

        try
        {
            await using var first = new FirstRequest(connection, limits.RequestHeadersTimeout, _time, _closed);
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
        _closed.Add(1, new KeyValuePair<string, object?>("reason", "address"));
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
            "The address {Client} holds as many connections as Edge:ConnectionsPerAddress allows, and further ones are closed: {Count} of all addresses since the last such line")]
        public static partial void Refused(ILogger logger, string client, long count);
    }
}

/// <summary>A connection feature: closes the connection unless its first request arrives in time. Kestrel would leave a silent one for its KeepAliveTimeout.</summary>
internal sealed class FirstRequest : IAsyncDisposable
{
    // Kestrel answers 408 to headers that began and do not end, and it counts from their first byte.
    private static readonly TimeSpan s_later = TimeSpan.FromSeconds(5);

    // A timer takes no more than 49 days.
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(45);

    private readonly ConnectionContext _connection;
    private readonly Counter<long> _closed;
    private readonly ITimer? _timer;
    private int _isOver;

    public FirstRequest(ConnectionContext connection, TimeSpan within, TimeProvider time, Counter<long> closed)
    {
        (_connection, _closed) = (connection, closed);
        // Kestrel's word for no limit.
        if (within == TimeSpan.MaxValue) return;
        var due = within < s_longest ? within + s_later : s_longest;
        _timer = time.CreateTimer(static state => ((FirstRequest)state!).Close(), this, due, Timeout.InfiniteTimeSpan);
    }

    public void Arrived()
    {
        if (Interlocked.Exchange(ref _isOver, 1) == 0) _timer?.Dispose();
    }

    // It waits for a callback that runs.
    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? default;

    private void Close()
    {
        if (Interlocked.Exchange(ref _isOver, 1) != 0) return;
        _closed.Add(1, new KeyValuePair<string, object?>("reason", "silent"));
        _connection.Abort(new ConnectionAbortedException("No request arrived in time."));
    }
}

/// <summary>Adds the bounds on connections.</summary>
internal static class ConnectionLimitsExtensions
{
    public static void AddConnectionLimits(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ConnectionLimits>();
        // First, before the filter of AllowedHosts: a request that is refused has arrived, too.
        builder.Services.Insert(0, ServiceDescriptor.Singleton<IStartupFilter, BeforeEverything>());
        // Endpoint defaults come before an endpoint's own HTTPS, and so see a connection before its handshake.
        builder.Services.AddOptions<KestrelServerOptions>().Configure<ConnectionLimits>(static (kestrel, limits) =>
            kestrel.ConfigureEndpointDefaults(listen => listen.Use(next => connection => limits.HoldAsync(connection, next, kestrel.Limits))));
    }

    private sealed class BeforeEverything : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use(static (context, following) =>
            {
                context.Features.Get<FirstRequest>()?.Arrived();
                return following(context);
            });
            next(app);
        };
    }
}
