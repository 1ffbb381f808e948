using System.Diagnostics;
using IotCredentials.Failures;
using IotCredentials.Telemetry;
using Microsoft.Extensions.Logging;

namespace IotCredentials.Redis;

/// <summary>
/// Logs once why Redis cannot be used, with the cause that <see cref="RedisProbe"/> finds, and once that it works again. During a problem it probes every
/// second, so that recovery does not wait for a request.
/// </summary>
/// <param name="endPoints">The servers, for the log.</param>
/// <param name="findProblem">Finds Redis's problem; null if there is none.</param>
/// <param name="isUsed">Whether the client itself can use Redis.</param>
/// <param name="reconnect">Makes the client connect again.</param>
/// <param name="metrics">Counts the problems that are logged.</param>
/// <param name="logger">The log.</param>
internal sealed class RedisWatch(
    string endPoints, Func<CancellationToken, Task<RedisProblem?>> findProblem, Func<Task<bool>> isUsed, Action reconnect, CredentialMetrics metrics,
    ILogger logger) : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _ended = new();
    private volatile RedisProblem? _problem;
    private volatile bool _isOnReplica;
    private volatile bool _isSuspected;
    private int _isWatching;

    /// <summary>The problem that was logged last; null once Redis works again.</summary>
    public RedisProblem? Problem => _problem;

    /// <summary>Starts probing after a command or a connection has failed. Costs nothing while probing is in progress.</summary>
    /// <param name="isOnReplica">Whether the client talks to a node that takes no writes.</param>
    public void Suspect(bool isOnReplica = false)
    {
        if (isOnReplica) _isOnReplica = true;
        _isSuspected = true;
        if (!_ended.IsCancellationRequested && Interlocked.Exchange(ref _isWatching, 1) == 0) _ = WatchAsync();
    }

    private async Task WatchAsync()
    {
        try
        {
            var begun = Stopwatch.GetTimestamp();
            var filter = new RedisProblemFilter();
            RedisProblem? logged = null;
            var hasFailed = false;
            while (true)
            {
                RedisProblem? found = null;
                _isSuspected = false;
                try
                {
                    found = await findProblem(_ended.Token);
                }
                catch (Exception e) when (!_ended.IsCancellationRequested)
                {
                    // Without a result of the probe, the client's own state decides. Only the exception's type is logged: its message may quote the connection
                    // string.
                    if (!hasFailed) Log.RedisNotExamined(logger, endPoints, e.GetType().Name);
                    hasFailed = true;
                }

                if (found?.Code == RedisProblem.ReadOnly.Code) _isOnReplica = true;
                // A demoted node keeps the client's connections, even if the name in the connection string has moved to the new primary.
                if (found is null && _isOnReplica)
                {
                    _isOnReplica = false;
                    Log.RedisReconnects(logger, endPoints);
                    reconnect();
                }
                // A working Redis may have no password to compare, or refuse in its own way a command that is needed rarely.
                else if ((found is null || found.Code == RedisProblem.HasNoPassword.Code || found.Code == RedisProblem.OtherError) && await isUsed()) break;

                if (filter.Next(found) is { } problem)
                {
                    Log.RedisLost(logger, problem.At ?? endPoints, problem.Cause);
                    metrics.RedisFailed(problem.Code);
                    _problem = logged = problem;
                }

                await Task.Delay(s_interval, TimeProvider.System, _ended.Token);
            }

            _problem = null;
            if (logged is not null) Log.RedisRestored(logger, endPoints, (long)Stopwatch.GetElapsedTime(begun).TotalSeconds);
            // The failure was over before it was probed. Wait before the next failure can start a probe.
            else await Task.Delay(s_interval, TimeProvider.System, _ended.Token);
        }
        catch (OperationCanceledException)
        {
            // The process is shutting down.
        }
        finally
        {
            Volatile.Write(ref _isWatching, 0);
            if (_isSuspected) Suspect();
        }
    }

    public void Dispose() => _ended.Cancel();
}
