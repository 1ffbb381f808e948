using CredentialModule.Telemetry;
using CredentialModule.Vending;
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
    // Longer than any command may take: only what is silent for so long is called silent.
    private static readonly TimeSpan WatchTimeout = TimeSpan.FromSeconds(2);

    private readonly int _commandTimeout;
    private readonly Lazy<Task<IConnectionMultiplexer>> _connection;
    private readonly ILogger<RedisConnection> _logger;
    private readonly string _lockPrefix;
    private readonly Func<TimeSpan, RedisProbe> _probeOf;
    private readonly Lazy<RedisWatch> _watch;

    public RedisConnection(string connectionString, IOptions<IotCredentialsOptions> module, ILogger<RedisConnection> logger)
    {
        _logger = logger;
        _commandTimeout = (int)SharedCacheOptions.CommandTimeout(module.Value).TotalMilliseconds;
        _lockPrefix = module.Value.Cache.KeyPrefix + "lock:";
        _connection = new(() => ConnectAsync(connectionString));
        _probeOf = timeout => new RedisProbe(ConfigurationOptions.Parse(connectionString), module.Value.Cache.KeyPrefix, timeout);
        _watch = new(() => new RedisWatch(_probeOf(WatchTimeout), logger));
        Silence = new(Suspect);
    }

    public RedisSilence Silence { get; }

    /// <summary>The servers that are connected to, without anything else of the connection string.</summary>
    public string EndPoints => _probeOf(WatchTimeout).EndPoints;

    public Task<IConnectionMultiplexer> GetAsync() => _connection.Value;

    /// <summary>Finds out why Redis cannot be used; null when it can.</summary>
    public Task<RedisProblem?> FindProblemAsync(TimeSpan timeout, CancellationToken cancellation) => _probeOf(timeout).FindAsync(cancellation);

    /// <summary>The turn to renew <paramref name="key"/> over all replicas; null when Redis cannot say whose turn it is.</summary>
    /// <exception cref="VendingException">Another replica had the turn all the time.</exception>
    public async Task<IAsyncDisposable?> TurnAsync(string key, TimeSpan patience, CancellationToken cancellation)
    {
        var connection = await GetAsync();
        while (connection.IsConnected && !Silence.IsLeftAlone)
        {
            var begun = Environment.TickCount64;
            try
            {
                var turn = await RedisTurn.TakeAsync(connection.GetDatabase(), _lockPrefix + key, patience, cancellation);
                Silence.Answered();
                return turn ?? throw new VendingException(FailureClass.Unavailable, "another replica is renewing it and takes too long");
            }
            catch (Exception e) when (e is not OperationCanceledException and not VendingException)
            {
                Log.LockUnavailable(_logger, e);
                Suspect();
                Silence.NotAnswered(begun);
            }
        }

        return null;
    }

    private async Task<IConnectionMultiplexer> ConnectAsync(string connectionString)
    {
        var options = ConfigurationOptions.Parse(connectionString);
        options.AbortOnConnectFail = false;
        options.BacklogPolicy = BacklogPolicy.FailFast;
        options.SyncTimeout = options.AsyncTimeout = _commandTimeout;
        // The client looks for commands that are over their time at its heartbeat.
        options.HeartbeatInterval = TimeSpan.FromMilliseconds(100);
        options.ConnectTimeout = 1000;
        options.ReconnectRetryPolicy = new LinearRetry(500);
        var connection = await ConnectionMultiplexer.ConnectAsync(options);
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
        [LoggerMessage(EventIds.LockUnavailable, LogLevel.Debug, "Redis did not answer for a lock; this replica renews on its own")]
        public static partial void LockUnavailable(ILogger logger, Exception error);
    }
}
