using System.Globalization;
using CredentialModule.Caching;
using Gateway.Configuration;
using StackExchange.Redis;

namespace Gateway.Commands;

/// <summary>Redis, as the module connects to it. Serving does without it.</summary>
internal static class RedisExamination
{
    private static readonly TimeSpan WorstClock = TimeSpan.FromSeconds(5);

    public static async Task<Diagnosis[]> RunAsync(Snapshot configuration, IServiceProvider services) =>
    [
        configuration.Options.ConnectionStrings.Redis is null
            ? new Diagnosis("Redis", Outcome.Ok, "ConnectionStrings:Redis is absent: replicas share nothing")
            : await Diagnosis.OfAsync("Redis", _ => LookAsync(services.GetRequiredService<CredentialCache>().Redis!), Outcome.Warning),
    ];

    private static async Task<(Outcome, string)> LookAsync(RedisConnection redis)
    {
        var connection = await redis.GetAsync();
        if (Array.Find(connection.GetServers(), server => server.IsConnected) is not { } server)
            return (Outcome.Warning, $"{string.Join(", ", connection.GetEndPoints().Select(ShowEndPoint))}: not connected");

        var latency = await server.PingAsync();
        var ahead = await server.TimeAsync() - DateTime.UtcNow;
        var encryption = ConfigurationOptions.Parse(connection.Configuration).Ssl ? "TLS" : "no TLS";
        var found = string.Create(
            CultureInfo.InvariantCulture,
            $"{ShowEndPoint(server.EndPoint)}, version {server.Version}, {encryption}, PING {latency.TotalMilliseconds:0.0} ms, clock {ahead.TotalSeconds:+0.0;-0.0;0.0} s");
        return ahead.Duration() > WorstClock ? (Outcome.Warning, $"{found}: set one of the two clocks") : (Outcome.Ok, found);
    }

    private static string? ShowEndPoint(System.Net.EndPoint endPoint) => endPoint is System.Net.DnsEndPoint dns ? $"{dns.Host}:{dns.Port}" : endPoint.ToString();
}
