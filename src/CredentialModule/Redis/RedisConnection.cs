using System.Collections.Concurrent;
using System.Net;
using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace IotCredentials.Redis;

/// <summary>
/// The one connection to Redis, configured so that a Redis that is gone, paused or full costs a caller only a part of its timeout: no command is queued, no
/// command waits longer than <see cref="SharedCacheOptions.CommandTimeout"/>, and a circuit breaker opens when commands time out.
/// </summary>
public sealed class RedisConnection : IAsyncDisposable
{
    // Longer than any command's timeout: a server is reported as silent only if it does not respond for this long.
    private static readonly TimeSpan s_watchTimeout = TimeSpan.FromSeconds(2);

    // The client fails at once when a connection is gone. A failure that takes longer has waited for a connection, for example to a node of a cluster.
    private static readonly TimeSpan s_failsAtOnce = TimeSpan.FromMilliseconds(50);

    // A network does not follow a clock that is set.
    private static readonly TimeProvider s_time = TimeProvider.System;

    private readonly TimeSpan _commandTimeout;
    private readonly Lazy<Task<IConnectionMultiplexer>> _connection;
    private readonly ILogger<RedisConnection> _logger;
    private readonly string _lockPrefix;
    private readonly ConfigurationOptions _options;
    private readonly string _keyPrefix;
    private readonly RedisWatch _watch;
    private readonly RedisSockets _sockets = new();
    private readonly ConcurrentDictionary<EndPoint, RedisCircuitBreaker> _ofNodes = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly LogInterval _lockOverrideLog;
    private volatile bool _isBehindSentinel;

    internal RedisConnection(
        string connectionString, IOptions<IotCredentialsOptions> module, CredentialMetrics metrics, TimeProvider time, ILogger<RedisConnection> logger)
    {
        _logger = logger;
        _commandTimeout = SharedCacheOptions.CommandTimeout(module.Value);
        _lockPrefix = module.Value.Cache.KeyPrefix + "lock:";
        _connection = new(() => ConnectAsync(connectionString));
        _options = ConfigurationOptions.Parse(connectionString);
        _keyPrefix = module.Value.Cache.KeyPrefix;
        EndPoints = new RedisProbe(_options, _keyPrefix, s_watchTimeout).EndPoints;
        _watch = new(EndPoints, CheckAsync, IsUsedAsync, _sockets.Close, metrics, logger);
        metrics.ObserveRedis(() => _watch.Problem is null);
        _lockOverrideLog = new(TimeSpan.FromMinutes(1), time);
        CircuitBreaker = new(s_time, () => _watch.Suspect());
    }

    internal RedisCircuitBreaker CircuitBreaker { get; }

    /// <summary>The servers of the connection string, without anything else of it.</summary>
    public string EndPoints { get; }

    /// <summary>The problem that keeps Redis from being used, as it was logged; null while it is used.</summary>
    public RedisProblem? Problem => _watch.Problem;

    private IConnectionMultiplexer? Connected =>
        _connection is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true } connected } ? connected.Result : null;

    /// <summary>The client. The task completes when the client exists, which behind Sentinel requires a primary.</summary>
    internal Task<IConnectionMultiplexer> GetAsync() => _connection.Value;

    /// <summary>Determines why Redis cannot be used; null if it can, and then the client is connected.</summary>
    /// <param name="timeout">How long the client may take. Each step of the examination before may take a third of it.</param>
    /// <param name="cancellation">Cancels the examination.</param>
    public async Task<RedisProblem?> FindProblemAsync(TimeSpan timeout, CancellationToken cancellation)
    {
        var begun = s_time.GetTimestamp();
        if (await FindProblemAsync(new RedisProbe(_options, _keyPrefix, timeout / 3), cancellation) is { } problem) return problem;
        // The client may be connecting.
        _ = GetAsync();
        while (!await IsUsedAsync())
        {
            if (s_time.GetElapsedTime(begun) > timeout) return RedisProblem.NotConnected;
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }

        return null;
    }

    // The probe has a connection of its own, which not all of the client's options apply to.
    private async Task<bool> IsUsedAsync()
    {
        if (Connected is not { IsConnected: true } client) return false;
        try
        {
            var writing = client.GetDatabase().ScriptEvaluateAsync("return redis.call('SET', KEYS[1], '', 'PX', 1000)", [(RedisKey)(_keyPrefix + "probe")]);
            await writing.ObserveException().WaitAsync(s_watchTimeout);
            return true;
        }
        catch (Exception e)
        {
            if (IsOnReplica(e)) Suspect(e);
            return false;
        }
    }

    private Task<RedisProblem?> FindProblemAsync(RedisProbe probe, CancellationToken cancellation) =>
        Primaries is { Count: > 0 } primaries ? probe.FindAsync(primaries, cancellation) : probe.FindAsync(cancellation);

    private async Task<RedisProblem?> CheckAsync(CancellationToken cancellation)
    {
        // The probe waits for a handshake as long as the client does.
        var handshakeTimeout = TimeSpan.FromMilliseconds(Math.Max(_options.ConnectTimeout, s_watchTimeout.TotalMilliseconds));
        var problem = await FindProblemAsync(new RedisProbe(_options, _keyPrefix, s_watchTimeout) { HandshakeTimeout = handshakeTimeout }, cancellation);
        // The client has missed that Sentinel named another primary. It queries Sentinel again when its connections are closed.
        if (_isBehindSentinel && problem?.Code == RedisProblem.ReadOnly.Code) _sockets.Close();
        return problem;
    }

    /// <summary>
    /// The nodes that hold the keys, if they are not those of the connection string: a cluster's primaries, or the primary behind Sentinel. Each is needed.
    /// Empty if the nodes of the connection string hold the keys, of which any is enough, or while the client does not know the nodes yet.
    /// </summary>
    internal IReadOnlyList<EndPoint> Primaries
    {
        get
        {
            // Behind Sentinel, the client that has found no primary is left with the sentinels.
            var servers = Array.FindAll(Connected?.GetServers() ?? [], server => !_isBehindSentinel || !_options.EndPoints.Contains(server.EndPoint));
            if (servers.FirstOrDefault(static server => server is { IsConnected: true, ClusterConfiguration: not null }) is { } node)
            {
                var nodes = node.ClusterConfiguration!.Nodes;
                // The client knows one node for each address. If all nodes announce the same one, it can take it for that of a replica.
                var primaries = nodes.Where(static node => !node.IsReplica && node.Slots.Count > 0).ToList();
                return [.. (primaries is [] ? nodes : primaries).Select(node => EndPointOf(node, servers)).OfType<EndPoint>()];
            }
            if (!_isBehindSentinel) return [];
            // Sentinel can name a node that is a replica, and then there is no primary at all.
            var writable = servers.Where(static server => !server.IsReplica).ToList();
            return [.. (writable is [] ? servers : (IEnumerable<IServer>)writable).Select(static server => server.EndPoint)];
        }
    }

    // In a cluster that prefers names, the client connects to a node's name, and its certificate need not have the address.
    private static EndPoint? EndPointOf(ClusterNode node, IServer[] servers) =>
        Array.Find(servers, server => server.EndPoint is DnsEndPoint dns && dns.Host == node.Hostname && dns.Port == (node.EndPoint as IPEndPoint)?.Port)
            ?.EndPoint ?? node.EndPoint;

    /// <summary>Examines Redis after a command has failed, and logs the cause if there is one.</summary>
    internal void Suspect(Exception failure) => _watch.Suspect(IsOnReplica(failure));

    /// <summary>Runs a command on <paramref name="key"/>. Returns the default value if Redis cannot be used, and never throws.</summary>
    internal Task<T?> RunAsync<T>(RedisKey key, Func<IDatabase, Task<T?>> command) =>
        // The client looks for commands that have timed out at its heartbeat, and can miss one. Its result is of no interest then.
        RunUnboundedAsync(key, redis => command(redis).ObserveException().WaitAsync(_commandTimeout));

    private async Task<T?> RunUnboundedAsync<T>(RedisKey key, Func<IDatabase, Task<T?>> command)
    {
        if (CircuitBreaker.IsOpen) return default;
        var begun = s_time.GetTimestamp();
        RedisCircuitBreaker? ofNode = null;
        try
        {
            var connection = await GetAsync().WaitAsync(_commandTimeout);
            if (!connection.IsConnected) return default;
            ofNode = CircuitBreakerOf(connection, key);
            if (ofNode is { IsOpen: true }) return default;
            var result = await command(connection.GetDatabase());
            CircuitBreaker.OnSuccess();
            ofNode?.OnSuccess();
            return result;
        }
        catch (Exception e)
        {
            Suspect(e);
            // An error response costs no time.
            if (e is RedisServerException || (e is not TimeoutException && s_time.GetElapsedTime(begun) < s_failsAtOnce)) return default;
            CircuitBreaker.OnTimeout(begun);
            ofNode?.OnTimeout(begun);
            return default;
        }
    }

    // One node of a cluster can hang while commands to the others succeed, which would keep the common circuit closed.
    private RedisCircuitBreaker? CircuitBreakerOf(IConnectionMultiplexer connection, RedisKey key)
    {
        var known = Array.Find(connection.GetServers(), static server => server is { IsConnected: true, ClusterConfiguration: not null });
        return known?.ClusterConfiguration?.GetBySlot(key)?.EndPoint is { } node ? _ofNodes.GetOrAdd(node, _ => new(s_time, () => _watch.Suspect())) : null;
    }

    /// <summary>Waits for the lock on <paramref name="key"/>; null if Redis does not respond.</summary>
    internal Task<RedisLock?> LockAsync(string key, TimeSpan patience, Func<Task<bool>> isNeedless) =>
        RunUnboundedAsync<RedisLock>(_lockPrefix + key, async redis =>
        {
            try
            {
                var taken = await RedisLock.AcquireAsync(redis, _lockPrefix + key, patience, _commandTimeout, isNeedless, s_time);
                if (taken.IsOverridden && _lockOverrideLog.IsDue()) Log.LockOverridden(_logger, _lockPrefix + key);
                return taken;
            }
            catch (Exception e)
            {
                Log.LockUnavailable(_logger, FailureText.Kinds(e));
                throw;
            }
        });

    /// <summary>The connection; null if it is not established within the timeout of a command.</summary>
    public async Task<IConnectionMultiplexer?> ConnectedAsync()
    {
        var connecting = GetAsync();
        if (!connecting.IsCompleted) await Task.WhenAny(connecting, Task.Delay(_commandTimeout));
        return connecting.IsCompletedSuccessfully && (await connecting).IsConnected ? await connecting : null;
    }

    private async Task<IConnectionMultiplexer> ConnectAsync(string connectionString)
    {
        while (true)
        {
            var options = RedisClientOptions.Read(connectionString, _commandTimeout);
            _isBehindSentinel = options.ServiceName is not null;
            options.Tunnel = _sockets.Over(options.Tunnel, _isBehindSentinel ? [.. options.EndPoints] : []);
            try
            {
                var connection = await ConnectionMultiplexer.ConnectAsync(options);
                connection.ConnectionFailed += (_, _) => _watch.Suspect();
                // A client can connect and still not do what is needed: it goes on as the default user if Redis refuses its password.
                _watch.Suspect();
                return connection;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // Behind Sentinel, the client throws instead of waiting for a missing primary.
                _watch.Suspect();
                await Task.Delay(TimeSpan.FromSeconds(1), _ended.Token);
            }
        }
    }

    // True if the server rejects writes, or if the client does not send them because it knows that the only node is a replica.
    private bool IsOnReplica(Exception error) => error switch
    {
        RedisServerException => RedisProblem.CodeOf(error.Message) == "READONLY",
        RedisConnectionException { FailureType: ConnectionFailureType.UnableToResolvePhysicalConnection } =>
            Connected is { IsConnected: true } && Primaries.Count == 0,
        _ => false,
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _watch.Dispose();
        if (!_connection.IsValueCreated) return;
        try
        {
            var connection = await _connection.Value;
            // Close without QUIT: a server that does not respond, or closes first, would delay the shutdown or make it fail.
            await connection.CloseAsync(allowCommandsToComplete: false);
            connection.Dispose();
        }
        catch (Exception e)
        {
            Log.RedisNotClosed(_logger, RedisProblem.KindOf(e));
        }
    }
}
