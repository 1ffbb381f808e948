using System.Diagnostics;
using Gateway.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>A collector that takes nothing is told once, costs no request, is no slow service, and delays the end of the process only shortly.</summary>
public sealed class CollectorTests
{
    // Without a bound, the end waits for a hanging export of spans and one of metrics.
    private static readonly TimeSpan s_longestStop = TimeSpan.FromSeconds(12);

    [Theory]
    [InlineData("hangs", "http/protobuf", "timeout")]
    [InlineData("hangs", "grpc", "timeout")]
    [InlineData("refuses connections", "http/protobuf", "connection_error")]
    [InlineData("404 Not Found", "http/protobuf", "404")]
    public async Task A_collector_that_takes_nothing_is_told_once(string collector, string protocol, string cause)
    {
        await using var world = await World.StartAsync();
        await using var server = collector == "hangs"
            ? new StubTcpServer(static async (_, ended) => await Task.Delay(Timeout.Infinite, ended))
            : new StubTcpServer($"HTTP/1.1 {collector}\r\nContent-Length: 0\r\n\r\n");
        var port = collector == "refuses connections" ? FreePort.Find() : server.Port;
        var gateway = await world.StartGatewayProcessAsync(static settings => settings.WithoutRedis(), Export(port, protocol));

        Assert.Equal(200, (await world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/1", world.Token("o-acme"))).Status);
        await Eventually.IsTrueAsync(() => gateway.Output.Contains("does not take", StringComparison.Ordinal), () => gateway.Output);
        Assert.Equal(200, (await world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/2", world.Token("o-acme"))).Status);
        var scrape = await Scrape.ReadAsync(world, gateway.ManagementUrl);
        Assert.Null(scrape.Sum("http_client_request_duration_seconds_count", $"server_port=\"{port}\""));
        Assert.NotNull(scrape.Sum("http_client_request_duration_seconds_count"));

        var begun = Stopwatch.GetTimestamp();
        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(begun), TimeSpan.Zero, s_longestStop);
        var told = Assert.Single(gateway.Output.Split('\n'), static line => line.Contains("does not take", StringComparison.Ordinal));
        Assert.Contains($"127.0.0.1:{port} does not take metrics or spans: {cause}. Its exports", told, StringComparison.Ordinal);
    }

    [Fact]
    public void A_collector_that_has_taken_all_exports_again_for_a_minute_is_told()
    {
        const string address = "collector:4318";
        var (time, log) = (new FakeTimeProvider(), new LogLines());
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        var exports = new CollectorExports(new ServiceCollection().BuildServiceProvider(), loggers.CreateLogger<CollectorExports>(), time);

        // It has no pipeline for spans.
        for (var i = 0; i < 100; i++)
        {
            exports.Exported(address, error: "404");
            exports.Exported(address, error: null);
            time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Equal((1, 0), (log.Count(LogLevel.Warning, $"{address} does not take metrics or spans: 404"), log.Count(LogLevel.Information, address)));

        time.Advance(TimeSpan.FromSeconds(31));
        exports.Exported(address, error: null);
        exports.Exported(address, error: null);

        Assert.Equal((1, 1), (log.Count(LogLevel.Warning, address), log.Count(LogLevel.Information, $"{address} takes metrics or spans again")));
    }

    private static KeyValuePair<string, string>[] Export(int port, string protocol) =>
    [
        new("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{port}"), new("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        new("OTEL_EXPORTER_OTLP_TIMEOUT", "5000"), new("OTEL_BSP_SCHEDULE_DELAY", "200"), new("OTEL_METRIC_EXPORT_INTERVAL", "500"),
    ];
}
