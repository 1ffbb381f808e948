using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using Gateway.Authentication;
using Gateway.Recording;

namespace Gateway.Management.Console;

/// <summary>Refused requests, vends and events of the log, read once or as a stream.</summary>
internal sealed class ConsoleEvents(
    TrafficRecorder traffic, VendRecorder vends, EventRecorder events, IHostApplicationLifetime lifetime, TimeProvider time, ConsoleClock clock)
{
    private static readonly TimeSpan s_streamInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestStream = TimeSpan.FromMinutes(15);

    /// <param name="route">The route whose refused requests are read; null for everything.</param>
    public object Read(string? route) => new
    {
        clock.Now,
        clock.Started,
        traffic.Since,
        Recorded = traffic.IsRecorded(route),
        Refused = traffic.LastRefused(route),
        Events = route is null ? events.Newest() : [],
        Vends = route is null ? vends.Recent() : [],
    };

    /// <summary>
    /// A message when something has happened, at most one a second. The stream ends with the caller's token or key, when the policy no longer admits the caller,
    /// and with the process.
    /// </summary>
    /// <param name="user">The caller.</param>
    /// <param name="mayOperate">Whether the caller may use the API now.</param>
    /// <param name="cancellation">Ends the stream.</param>
    public async IAsyncEnumerable<string> StreamAsync(
        ClaimsPrincipal user, Func<Task<bool>> mayOperate, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation, lifetime.ApplicationStopping);
        using var timer = new PeriodicTimer(s_streamInterval, time);
        var caller = CallerIdentity.Of(user);
        var begun = time.GetTimestamp();
        var last = "";
        while (time.GetElapsedTime(begun) < s_longestStream && (caller is null || caller.ExpiresAt > time.GetUtcNow()) && !end.IsCancellationRequested
            && caller?.IsRevoked?.Invoke() != true && await mayOperate())
        {
            traffic.Look();
            var news = new { Refused = traffic.LastRefused(null), Events = events.Newest(), Vends = vends.Recent() };
            var current = JsonSerializer.Serialize(news, ConsoleApi.JsonOptions);
            if (current != last) yield return last = current;
            try
            {
                await timer.WaitForNextTickAsync(end.Token);
            }
            catch (OperationCanceledException)
            {
                yield break;
            }
        }
    }
}
