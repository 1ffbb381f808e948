using System.Net;
using CredentialModule.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace CredentialModule.Caching;

/// <summary>
/// The one connection to Redis, tuned so that a Redis that is gone, paused or full costs a caller a part of its patience at most: nothing
/// queues for it, no command waits longer than <see cref="SharedCacheOptions.CommandTimeout"/>, and what did not answer is left alone for a while.
/// </summary>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    // Longer than any command may take: only a server that is silent for so long is called silent.
    private static readonly TimeSpan WatchTimeout = TimeSpan.FromSeconds(2);

    private readonly TimeSpan _commandTimeout;
    private readonly Lazy<Task<IConnectionMultiplexer>> _connection;
    private readonly ILogger<RedisConnection> _logger;
    private readonly string _lockPrefix;
    private readonly Func<TimeSpan, RedisProbe> _probeOf;
    private readonly RedisWatch _watch;
    private readonly RedisSockets _sockets = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly TaskCompletionSource _canSubscribe = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly LogInterval _lockIsTold;
    private volatile bool _isBehindSentinel;

    public RedisConnection(string connectionString, IOptions<IotCredentialsOptions> module, CredentialMetrics metrics, TimeProvider time, ILogger<RedisConnection> logger)
    {
        _logger = logger;
        _commandTimeout = SharedCacheOptions.CommandTimeout(module.Value);
        _lockPrefix = module.Value.Cache.KeyPrefix + "lock:";
        _connection = new(() => ConnectAsync(connectionString));
        _probeOf = timeout => new RedisProbe(ConfigurationOptions.Parse(connectionString), module.Value.Cache.KeyPrefix, timeout);
        EndPoints = _probeOf(WatchTimeout).EndPoints;
        _watch = new(EndPoints, LookAsync, () => Connected is { IsConnected: true }, _sockets.Close, metrics, logger);
        metrics.ObserveRedis(() => _watch.Problem is null);
        _lockIsTold = new(TimeSpan.FromMinutes(1), time);
        Silence = new(() => _watch.Suspect());
    }

    public RedisSilence Silence { get; }

    /// <summary>The servers that are connected to, without anything else of the connection string.</summary>
    public string EndPoints { get; }

    /// <summary>The problem that keeps Redis from being used, as it was logged; null while it is used.</summary>
    public RedisProblem? Problem => _watch.Problem;

    /// <summary>Completes when the client can subscribe for the first time.</summary>
    public Task CanSubscribe => _canSubscribe.Task;

    private IConnectionMultiplexer? Connected => _connection is { IsValueCreated: true, Value: { IsCompletedSuccessfully: true } connected } ? connected.Result : null;

    /// <summary>The client. It completes once there is one, which behind Sentinel takes a primary.</summary>
    public Task<IConnectionMultiplexer> GetAsync() => _connection.Value;

    /// <summary>Finds out why Redis cannot be used; null when it can.</summary>
    public Task<RedisProblem?> FindProblemAsync(TimeSpan timeout, CancellationToken cancellation) =>
        Primaries is { Count: > 0 } primaries ? _probeOf(timeout).FindAsync(primaries, cancellation) : _probeOf(timeout).FindAsync(cancellation);

    private async Task<RedisProblem?> LookAsync(CancellationToken cancellation)
    {
        var problem = await FindProblemAsync(WatchTimeout, cancellation);
        // The client has missed that Sentinel named another primary. It asks Sentinel again when its connections end.
        if (_isBehindSentinel && problem?.Code == RedisProblem.ReadOnly.Code) _sockets.Close();
        return problem;
    }

    /// <summary>
    /// The nodes that keys are on, where the connection string names others: a cluster's primaries, and the primary that Sentinel names. Each is needed. Empty
    /// if the nodes of the connection string are meant, of which any will do, or as long as the client does not know better.
    /// </summary>
    private IReadOnlyList<EndPoint> Primaries
    {
        get
        {
            var servers = Connected?.GetServers() ?? [];
            if (servers.FirstOrDefault(static server => server is { IsConnected: true, ClusterConfiguration: not null }) is { } node)
                return [.. node.ClusterConfiguration!.Nodes.Where(static node => !node.IsReplica && node.Slots.Count > 0).Select(static node => node.EndPoint).OfType<EndPoint>()];
            return _isBehindSentinel ? [.. servers.Where(static server => !server.IsReplica).Select(static server => server.EndPoint)] : [];
        }
    }

    /// <summary>Waits for the lock on <paramref name="key"/>; null if Redis cannot say who holds it.</summary>
    public async Task<RedisLock?> LockAsync(string key, TimeSpan patience, Func<Task<bool>> isNeedless)
    {
        while (!Silence.IsLeftAlone && await ConnectedAsync() is { } connection)
        {
            var begun = Environment.TickCount64;
            try
            {
                var taken = await RedisLock.TakeAsync(connection.GetDatabase(), _lockPrefix + key, patience, isNeedless);
                Silence.Answered();
                if (taken.IsOverridden && _lockIsTold.IsDue()) Log.LockOverridden(_logger, _lockPrefix + key);
                return taken;
            }
            catch (Exception e)
            {
                Log.LockUnavailable(_logger, FailureText.Kinds(e));
                _watch.Suspect(IsOnReplica(e, connection));
                Silence.NotAnswered(begun);
            }
        }

        return null;
    }

    /// <summary>The connection; null unless there is one within the time that a command may take.</summary>
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
                if (!connection.IsConnected) _watch.Suspect();
                _ = TrySubscribeAsync(connection);
                return connection;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // Behind Sentinel the client does not wait for a primary that is not there.
                _watch.Suspect();
                await Task.Delay(TimeSpan.FromSeconds(1), _ended.Token);
            }
        }
    }

    private async Task TrySubscribeAsync(ConnectionMultiplexer connection)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        while (await timer.WaitForNextTickAsync(_ended.Token))
        {
            try
            {
                await connection.GetSubscriber().PingAsync();
                _canSubscribe.TrySetResult();
                return;
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // Not yet.
            }
        }
    }

    // The client does not send a write to the only node when it knows that it is a replica.
    private bool IsOnReplica(Exception error, IConnectionMultiplexer connection) => error switch
    {
        RedisServerException => RedisProblem.CodeOf(error.Message) == "READONLY",
        RedisConnectionException { FailureType: ConnectionFailureType.UnableToResolvePhysicalConnection } => connection.IsConnected && Primaries.Count == 0,
        _ => false,
    };

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _watch.Dispose();
        if (!_connection.IsValueCreated) return;
        try
        {
            var connection = await _connection.Value;
            // Without QUIT: a server that does not answer, or closes first, would hold up or fail the end of the process.
            await connection.CloseAsync(allowCommandsToComplete: false);
            connection.Dispose();
        }
        catch (Exception e)
        {
            Log.NotClosed(_logger, RedisProblem.KindOf(e));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.LockUnavailable, LogLevel.Debug, "Redis did not answer for a lock; this replica calls AWS without it ({Kind})")]
        public static partial void LockUnavailable(ILogger logger, string kind);

        [LoggerMessage(EventIds.RedisNotClosed, LogLevel.Debug, "The connection to Redis could not be closed in good order: {Kind}")]
        public static partial void NotClosed(ILogger logger, string kind);

        [LoggerMessage(EventIds.LockOverridden, LogLevel.Warning,
            "The lock {Key} in Redis was held for longer than a replica holds one, and this replica went on without it. Another replica is very slow, "
            + "Redis failed over to a node whose clock is behind, or somebody else writes to Redis. Logged once a minute")]
        public static partial void LockOverridden(ILogger logger, string key);
    }
}
