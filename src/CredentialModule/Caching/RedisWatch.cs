using System.Diagnostics;
using CredentialModule.Telemetry;
using Microsoft.Extensions.Logging;

namespace CredentialModule.Caching;

/// <summary>
/// Logs once why Redis cannot be used, with the cause that <see cref="RedisProbe"/> finds, and once that it works again. While there is trouble it looks
/// every second, so that recovery does not wait for a request.
/// </summary>
internal sealed partial class RedisWatch(RedisProbe probe, ILogger logger) : IDisposable
{
    // The client reconnects within seconds of what the probe finds good.
    private const int MostClean = 10;
    private const int MostAlike = 10;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _ended = new();
    private int _isWatching;

    /// <summary>Looks into a command or a connection that failed. Costs nothing while it is looked into already.</summary>
    public void Suspect(Func<bool> isConnected)
    {
        if (!_ended.IsCancellationRequested && Interlocked.Exchange(ref _isWatching, 1) == 0) _ = WatchAsync(isConnected);
    }

    private async Task WatchAsync(Func<bool> isConnected)
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
                    found = await probe.FindAsync(_ended.Token);
                }
                catch (Exception e) when (!_ended.IsCancellationRequested)
                {
                    // The client's own state decides. The message may quote the connection string: the log has the kind alone.
                    if (!hasFailed) Log.NotExamined(logger, probe.EndPoints, e.GetType().Name);
                    hasFailed = true;
                }

                if (found is null && isConnected()) break;
                clean = found is null ? clean + 1 : 0;
                if (clean > MostClean) found = RedisProblem.NotConnected;
                times = found == last ? times + 1 : 1;
                // A server that starts passes through several causes: another one is logged once it has lasted.
                if (found is not null && found != told && (told is null || times > MostAlike))
                {
                    Log.Lost(logger, probe.EndPoints, found.Cause);
                    told = found;
                }

                last = found;
                await Task.Delay(s_interval, TimeProvider.System, _ended.Token);
            }

            if (told is not null) Log.Restored(logger, probe.EndPoints, (long)Stopwatch.GetElapsedTime(begun).TotalSeconds);
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

        [LoggerMessage(EventIds.RedisRestored, LogLevel.Information, "Redis at {EndPoint} works again, after {Seconds} s")]
        public static partial void Restored(ILogger logger, string endPoint, long seconds);
    }
}
