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
    private readonly Lazy<RedisWatch> _watch;
    private readonly LogInterval _lockIsTold;

    public RedisConnection(string connectionString, IOptions<IotCredentialsOptions> module, TimeProvider time, ILogger<RedisConnection> logger)
    {
        _logger = logger;
        _commandTimeout = SharedCacheOptions.CommandTimeout(module.Value);
        _lockPrefix = module.Value.Cache.KeyPrefix + "lock:";
        _connection = new(() => ConnectAsync(connectionString));
        _probeOf = timeout => new RedisProbe(ConfigurationOptions.Parse(connectionString), module.Value.Cache.KeyPrefix, timeout);
        _watch = new(() => new RedisWatch(_probeOf(WatchTimeout), logger));
        _lockIsTold = new(TimeSpan.FromMinutes(1), time);
        Silence = new(Suspect);
    }

    public RedisSilence Silence { get; }

    /// <summary>The servers that are connected to, without anything else of the connection string.</summary>
    public string EndPoints => _probeOf(WatchTimeout).EndPoints;

    public Task<IConnectionMultiplexer> GetAsync() => _connection.Value;

    /// <summary>Finds out why Redis cannot be used; null when it can.</summary>
    public Task<RedisProblem?> FindProblemAsync(TimeSpan timeout, CancellationToken cancellation) => _probeOf(timeout).FindAsync(cancellation);

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
                Log.LockUnavailable(_logger, e);
                Suspect();
                Silence.NotAnswered(begun);
            }
        }

        return null;
    }

    /// <summary>The connection; null unless there is one within the time that a command may take.</summary>
    private async Task<IConnectionMultiplexer?> ConnectedAsync()
    {
        var connecting = GetAsync();
        if (!connecting.IsCompleted) await Task.WhenAny(connecting, Task.Delay(_commandTimeout));
        return connecting.IsCompletedSuccessfully && (await connecting).IsConnected ? await connecting : null;
    }

    private async Task<IConnectionMultiplexer> ConnectAsync(string connectionString)
    {
        var connection = await ConnectionMultiplexer.ConnectAsync(RedisClientOptions.Read(connectionString, _commandTimeout));
        connection.ConnectionFailed += (_, _) => Suspect();
        if (!connection.IsConnected) Suspect();
        return connection;
    }

    private void Suspect() => _watch.Value.Suspect(() => _connection.Value is { IsCompletedSuccessfully: true, Result.IsConnected: true });

    public async ValueTask DisposeAsync()
    {
        _watch.Value.Dispose();
        if (_connection.IsValueCreated) await (await _connection.Value).DisposeAsync();
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.LockUnavailable, LogLevel.Debug, "Redis did not answer for a lock; this replica calls AWS without it")]
        public static partial void LockUnavailable(ILogger logger, Exception error);

        [LoggerMessage(EventIds.LockOverridden, LogLevel.Warning,
            "The lock {Key} in Redis was held for longer than a replica holds one, and this replica went on without it. Another replica is very slow, "
            + "Redis failed over to a node whose clock is behind, or somebody else writes to Redis. Logged once a minute")]
        public static partial void LockOverridden(ILogger logger, string key);
    }
}
