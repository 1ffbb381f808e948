using System.Diagnostics;
using CredentialModule.Telemetry;
using Microsoft.Extensions.Logging;

namespace CredentialModule.Caching;

/// <summary>
/// Logs once why Redis cannot be used, with the cause that <see cref="RedisProbe"/> finds, and once that it works again. While there is trouble it looks
/// every second, so that recovery does not wait for a request.
/// </summary>
/// <param name="endPoints">The servers, for the log.</param>
/// <param name="findProblem">Finds the problem that Redis has; null if it has none.</param>
/// <param name="isConnected">Whether the client is connected.</param>
/// <param name="reconnect">Has the client connect again.</param>
/// <param name="metrics">Counts what is logged.</param>
/// <param name="logger">The log.</param>
internal sealed partial class RedisWatch(
    string endPoints, Func<CancellationToken, Task<RedisProblem?>> findProblem, Func<bool> isConnected, Action reconnect, CredentialMetrics metrics, ILogger logger) : IDisposable
{
    // The client reconnects within seconds of what the probe finds good.
    private const int MostClean = 10;
    private const int MostAlike = 10;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _ended = new();
    private volatile RedisProblem? _problem;
    private volatile bool _isOnReplica;
    private int _isWatching;

    /// <summary>The problem that was logged last; null once Redis works again.</summary>
    public RedisProblem? Problem => _problem;

    /// <summary>Looks into a command or a connection that failed. Costs nothing while it is looked into already.</summary>
    /// <param name="isOnReplica">Whether the client talks to a node that takes no writes.</param>
    public void Suspect(bool isOnReplica = false)
    {
        if (isOnReplica) _isOnReplica = true;
        if (!_ended.IsCancellationRequested && Interlocked.Exchange(ref _isWatching, 1) == 0) _ = WatchAsync();
    }

    private async Task WatchAsync()
    {
        try
        {
            var begun = Stopwatch.GetTimestamp();
            RedisProblem? told = null;
            var (last, times, clean, hasFailed) = ((RedisProblem?)null, 0, 0, false);
            while (true)
            {
                RedisProblem? found = null;
                try
                {
                    found = await findProblem(_ended.Token);
                }
                catch (Exception e) when (!_ended.IsCancellationRequested)
                {
                    // The client's own state decides. The message may quote the connection string: the log has the kind alone.
                    if (!hasFailed) Log.NotExamined(logger, endPoints, e.GetType().Name);
                    hasFailed = true;
                }

                if (found is null && isConnected()) break;
                clean = found is null ? clean + 1 : 0;
                if (clean > MostClean) found = RedisProblem.NotConnected;
                times = found == last ? times + 1 : 1;
                // A server that ends closes its connections first. One that starts passes through several causes: another one is logged once it has lasted.
                if (found is not null && found != told && (told is null ? found.Code != RedisProblem.Closed.Code || times > 1 : times > MostAlike))
                {
                    Log.Lost(logger, found.At ?? endPoints, found.Cause);
                    metrics.RedisFailed(found.Code);
                    _problem = told = found;
                }

                last = found;
                await Task.Delay(s_interval, TimeProvider.System, _ended.Token);
            }

            // A node that was demoted keeps the client's connections, also when the name in the connection string has moved on to the new primary.
            if (_isOnReplica || told?.Code == RedisProblem.ReadOnly.Code)
            {
                _isOnReplica = false;
                Log.Reconnects(logger, endPoints);
                reconnect();
            }

            _problem = null;
            if (told is not null) Log.Restored(logger, endPoints, (long)Stopwatch.GetElapsedTime(begun).TotalSeconds);
            // What failed was over before it was looked at. Whatever fails next is looked into, but not at once.
            else await Task.Delay(s_interval, TimeProvider.System, _ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The process ends.
        }
        finally
        {
            Volatile.Write(ref _isWatching, 0);
        }
    }

    public void Dispose() => _ended.Cancel();

    private static partial class Log
    {
        [LoggerMessage(EventIds.RedisLost, LogLevel.Warning,
            "Redis at {EndPoint} cannot be used: {Cause}. Credentials are not shared between replicas until it works again")]
        public static partial void Lost(ILogger logger, string endPoint, string cause);

        [LoggerMessage(EventIds.RedisNotExamined, LogLevel.Warning, "The cause of trouble with Redis at {EndPoint} cannot be found out: {Kind}")]
        public static partial void NotExamined(ILogger logger, string endPoint, string kind);

        [LoggerMessage(EventIds.RedisReconnects, LogLevel.Information, "The node that the gateway writes to is a replica now: it connects to Redis at {EndPoint} again")]
        public static partial void Reconnects(ILogger logger, string endPoint);

        [LoggerMessage(EventIds.RedisRestored, LogLevel.Information, "Redis at {EndPoint} works again, after {Seconds} s")]
        public static partial void Restored(ILogger logger, string endPoint, long seconds);
    }
}
