using System.Diagnostics;
using System.Text;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>A collector that takes nothing is told once, costs no request, is no slow service, and delays the end of the process only shortly.</summary>
public sealed class CollectorTests
{
    // Without a bound, the end waits for a hanging export of spans and one of metrics.
    private static readonly TimeSpan s_longestStop = TimeSpan.FromSeconds(8);

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
    public async Task A_collector_that_takes_exports_again_is_told()
    {
        var status = "503 Service Unavailable";
        await using var world = await World.StartAsync();
        await using var server = new StubTcpServer(async (stream, ended) =>
        {
            var buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer, ended) > 0)
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {Volatile.Read(ref status)}\r\nContent-Length: 0\r\n\r\n"), ended);
        });
        var gateway = await world.StartGatewayProcessAsync(static settings => settings.WithoutRedis(), Export(server.Port, "http/protobuf"));
        await Eventually.IsTrueAsync(() => gateway.Output.Contains("does not take metrics or spans: 503", StringComparison.Ordinal), () => gateway.Output);

        Volatile.Write(ref status, "200 OK");

        await Eventually.IsTrueAsync(
            () => gateway.Output.Contains($"127.0.0.1:{server.Port} takes metrics or spans again after", StringComparison.Ordinal), () => gateway.Output);
    }

    private static KeyValuePair<string, string>[] Export(int port, string protocol) =>
    [
        new("OTEL_EXPORTER_OTLP_ENDPOINT", $"http://127.0.0.1:{port}"), new("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        new("OTEL_EXPORTER_OTLP_TIMEOUT", "5000"), new("OTEL_BSP_SCHEDULE_DELAY", "200"), new("OTEL_METRIC_EXPORT_INTERVAL", "500"),
    ];
}
