using System.Net.Sockets;
using System.Text;
using Gateway.Management;
using Testing;
using Xunit;

namespace Gateway.Tests.Management;

/// <summary>A client that does not read <c>/metrics</c> stops no scrape, and few responses wait for such clients.</summary>
public sealed class SlowScrapeTests
{
    // More than the buffers of a connection hold.
    private const int Pipelined = 200;

    [Theory]
    [InlineData(1, "text/plain", "text/plain")]
    [InlineData(ScrapeResponses.MostSending + 2, "text/plain", "text/plain")]
    [InlineData(1, "application/openmetrics-text", "application/openmetrics-text")]
    [InlineData(1, "application/openmetrics-text", "text/plain")]
    public async Task Slow_readers_stop_no_scrape(int readers, string theirs, string ours)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(static settings =>
        {
            settings.WithoutRedis();
            for (var i = 0; i < 700; i++) settings.Route($"route{i}", $"/a/rather/long/path/so/that/a/scrape/has/many/bytes/{i}/{{**rest}}");
        });
        // The listener responds a moment before all series exist, and the exporter repeats a response for 300 ms.
        foreach (var format in (string[])[theirs, ours])
        {
            await Eventually.IsTrueAsync(async () =>
                (await ScrapeAsync(world, gateway, format)).Body.Contains("gateway_requests_total", StringComparison.Ordinal));
        }

        var management = new Uri(gateway.ManagementUrl);
        var slow = new List<TcpClient>();
        try
        {
            for (var i = 0; i < readers; i++)
            {
                var client = new TcpClient { ReceiveBufferSize = 2048 };
                slow.Add(client);
                await client.ConnectAsync(management.Host, management.Port, TestContext.Current.CancellationToken);
                var request = $"GET /metrics HTTP/1.1\r\nHost: {management.Authority}\r\nAccept: {theirs}\r\n\r\n";
                await client.GetStream().WriteAsync(
                    Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(request, Pipelined))), TestContext.Current.CancellationToken);
            }

            foreach (var client in slow)
            {
                try
                {
                    _ = await client.GetStream().ReadAsync(new byte[1], TestContext.Current.CancellationToken);
                }
                catch (IOException)
                {
                    // The gateway has given up on the oldest.
                }
            }

            for (var i = 0; i < 3; i++)
            {
                var scrape = await ScrapeAsync(world, gateway, ours).WaitAsync(Eventually.Limit / 2, TestContext.Current.CancellationToken);
                Assert.Equal(200, scrape.Status);
                Assert.StartsWith(ours, scrape.ContentHeaders.ContentType!.ToString(), StringComparison.Ordinal);
                Assert.Contains("gateway_requests_total", scrape.Body, StringComparison.Ordinal);
            }
        }
        finally
        {
            foreach (var client in slow) client.Dispose();
        }
    }

    /// <summary>Many that read at once end no response, because none takes long.</summary>
    [Fact]
    public async Task Fast_readers_wait_for_each_other()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(static settings => settings.WithoutRedis());

        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = 4 * ScrapeResponses.MostSending };
        await Parallel.ForAsync(0, 200, atOnce, async (_, _) =>
            Assert.Equal(200, (await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Status));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task A_response_has_its_length(string method)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(static settings => settings.WithoutRedis());

        var scrape = await world.Client.SendAsync(gateway.ManagementUrl + "/metrics", method: method);

        Assert.Equal(200, scrape.Status);
        Assert.True(scrape.ContentHeaders.ContentLength > 1000);
        Assert.Equal(method == "GET" ? scrape.ContentHeaders.ContentLength : 0, Encoding.UTF8.GetByteCount(scrape.Body));
    }

    private static Task<Response> ScrapeAsync(World world, RunningGateway gateway, string format) =>
        world.Client.SendAsync(gateway.ManagementUrl + "/metrics", change: request => request.Headers.Add("Accept", format));
}
