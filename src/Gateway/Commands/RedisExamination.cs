using System.Diagnostics;
using System.Globalization;
using CredentialModule.Caching;
using Gateway.Configuration;
using Gateway.RateLimiting;
using StackExchange.Redis;

namespace Gateway.Commands;

/// <summary>Redis, as the module connects to it. Serving does without it.</summary>
internal static class RedisExamination
{
    private static readonly TimeSpan WorstClock = TimeSpan.FromSeconds(5);

    public static async Task<Diagnosis[]> RunAsync(Snapshot configuration, IServiceProvider services, TimeSpan timeout) =>
    [
        configuration.Options.ConnectionStrings.Redis is null
            ? new Diagnosis("Redis", Outcome.Ok, "ConnectionStrings:Redis is absent: replicas share nothing")
            : await Diagnosis.OfAsync(
                "Redis", timeout,
                (_, cancellation) => LookAsync(
                    services.GetRequiredService<CredentialCache>().Redis!, services.GetRequiredService<TimeProvider>(),
                    configuration.Options.RateLimiting.Policies.Values.Any(static limit => limit.Store == RateLimitStore.Redis), timeout, cancellation),
                Outcome.Warning),
    ];

    // To the module a second is long, and what it gives up it tries again; only what stays out of reach is a finding.
    private static async Task<(Outcome, string)> LookAsync(RedisConnection redis, TimeProvider time, bool countsLimits, TimeSpan timeout, CancellationToken cancellation)
    {
        if (await redis.FindProblemAsync(timeout * 0.3, cancellation) is { } problem) return (Outcome.Warning, $"{redis.EndPoints}: {problem.Cause}: {problem.Remedy}");
        var begun = Stopwatch.GetTimestamp();
        IConnectionMultiplexer? connection = null;
        while (Stopwatch.GetElapsedTime(begun) < timeout * 0.6)
        {
            try
            {
                connection ??= await redis.ConnectedAsync();
                if (connection is not null && Array.Find(connection.GetServers(), server => server.IsConnected) is { } server)
                {
                    if (countsLimits && await SharedLimits.FindProblemAsync(connection) is { } denied) return (Outcome.Warning, $"{redis.EndPoints}: {denied}");
                    return await AskAsync(connection, server, time);
                }
            }
            catch (Exception e) when (e is RedisException or TimeoutException)
            {
                // Again.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }

        return (Outcome.Warning, $"{redis.EndPoints}: {RedisProblem.NotConnected.Cause}: {RedisProblem.NotConnected.Remedy}");
    }

    private static async Task<(Outcome, string)> AskAsync(IConnectionMultiplexer connection, IServer server, TimeProvider time)
    {
        var latency = await server.PingAsync();
        var ahead = await server.TimeAsync() - time.GetUtcNow().UtcDateTime;
        var encryption = ConfigurationOptions.Parse(connection.Configuration).Ssl ? "TLS" : "no TLS";
        var found = string.Create(
            CultureInfo.InvariantCulture, $"{ShowEndPoint(server.EndPoint)}, version {server.Version}, {encryption}, PING {latency.TotalMilliseconds:0.0} ms");
        return Judge(found, ahead);
    }

    /// <summary>What was found, and how far Redis's clock is ahead.</summary>
    internal static (Outcome, string) Judge(string found, TimeSpan ahead)
    {
        var all = string.Create(CultureInfo.InvariantCulture, $"{found}, clock {ahead.TotalSeconds:+0.0;-0.0;0.0} s");
        return ahead.Duration() > WorstClock ? (Outcome.Warning, $"{all}: one of the two clocks is wrong") : (Outcome.Ok, all);
    }

    private static string? ShowEndPoint(System.Net.EndPoint endPoint) => endPoint is System.Net.DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endPoint.ToString();
}
