using System.Globalization;
using System.Net;
using Gateway.Configuration;
using Gateway.Configuration.Snapshots;
using Gateway.RateLimiting;
using IotCredentials.Failures;
using IotCredentials.Redis;
using StackExchange.Redis;

namespace Gateway.Commands.Doctor;

/// <summary>Checks Redis with the module's own connection. The gateway can serve without it.</summary>
internal static class RedisCheck
{
    private static readonly TimeSpan s_worstClock = TimeSpan.FromSeconds(5);

    public static async Task<DoctorResult[]> RunAsync(Snapshot configuration, IServiceProvider services, TimeSpan timeout) =>
    [
        configuration.Options.ConnectionStrings.Redis is null
            ? new DoctorResult("Redis", Outcome.Ok, "ConnectionStrings:Redis is absent: replicas share nothing")
            : await DoctorResult.OfAsync(
                "Redis", timeout,
                (_, cancellation) => CheckAsync(
                    services.GetRequiredService<SharedRedis>().Connection!, services.GetRequiredService<TimeProvider>(),
                    [.. configuration.Options.RateLimiting.Policies.Values.Where(static limit => limit.Store == RateLimitStore.Redis)
                        .Select(static limit => limit.Algorithm)],
                    timeout, cancellation),
                Outcome.Warning),
    ];

    private static async Task<(Outcome, string)> CheckAsync(
        RedisConnection redis, TimeProvider time, RateLimitAlgorithm[] limits, TimeSpan timeout, CancellationToken cancellation)
    {
        var problem = await redis.FindProblemAsync(timeout * 0.9, cancellation);
        try
        {
            if (problem is null && await redis.ConnectedAsync() is { } connection
                && Array.Find(connection.GetServers(), static server => server.IsConnected) is { } server)
            {
                return await RedisRateLimiterFallback.FindProblemAsync(connection, limits) is { } denied
                    ? (Outcome.Warning, $"{redis.EndPoints}: {denied}")
                    : await AskAsync(connection, server, time);
            }
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            // The connection is lost again.
        }

        problem ??= RedisProblem.NotConnected;
        return (Outcome.Warning, $"{problem.At ?? redis.EndPoints}: {problem.Cause}: {problem.Remedy}");
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

    /// <summary>Returns a warning if Redis's clock differs from this machine's by more than five seconds, else Ok.</summary>
    internal static (Outcome, string) Judge(string found, TimeSpan ahead)
    {
        var all = string.Create(CultureInfo.InvariantCulture, $"{found}, clock {ahead.TotalSeconds:+0.0;-0.0;0.0} s");
        return ahead.Duration() > s_worstClock ? (Outcome.Warning, $"{all}: one of the two clocks is wrong") : (Outcome.Ok, all);
    }

    private static string? ShowEndPoint(EndPoint endPoint) => endPoint is DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endPoint.ToString();
}
