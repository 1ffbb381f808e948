using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Two thousand connections that send a byte now and then, headers or bodies, and come again when they are cut off, beside a client that only
/// wants to be served. <c>LORIS_SECONDS</c> makes it longer.
/// </summary>
[Trait("Category", "Long")]
[Collection(LoadTests.Name)]
public sealed class SlowLorisTests(ITestOutputHelper output)
{
    private const int Connections = 2000;
    private static readonly TimeSpan s_between = TimeSpan.FromSeconds(1);
    private const int FewestRequests = 50;

    [Fact]
    public async Task Whoever_sends_a_byte_now_and_then_is_cut_off_and_harms_nobody()
    {
        var span = TimeSpan.FromSeconds(
            Environment.GetEnvironmentVariable("LORIS_SECONDS") is { Length: > 0 } seconds ? int.Parse(seconds, CultureInfo.InvariantCulture) : 6);
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(settings =>
        {
            settings.Remove("ConnectionStrings");
            settings.Remove("Sealing");
            settings["Kestrel"] = JsonNode.Parse("""{ "Limits": { "RequestHeadersTimeout": "00:00:05" } }""");
            settings["ReverseProxy"]!["Routes"]!["open"] = JsonNode.Parse(
                """{ "ClusterId": "organizations", "AuthorizationPolicy": "Anonymous", "Match": { "Path": "/open/{**rest}" } }""");
            settings["Logging"]!["LogLevel"] = new JsonObject
            {
                ["Default"] = "Warning",
                ["Microsoft.Hosting.Lifetime"] = "Information",
                ["Gateway.Management"] = "Information"
            };
        });
        // Through with compiling what a first request runs.
        await ServeAsync(world, gateway, TimeSpan.FromSeconds(2), CancellationToken.None);
        var before = await ServeAsync(world, gateway, span, CancellationToken.None);
        var memory = Memory(gateway);

        using var attack = new CancellationTokenSource();
        var attackers = Enumerable.Range(0, Connections).Select(i => AttackAsync(gateway, isBody: i % 10 == 0, attack.Token)).ToList();
        var during = await ServeAsync(world, gateway, span / 2, attack.Token);
        var held = Memory(gateway) - memory;
        during.AddRange(await ServeAsync(world, gateway, span / 2, attack.Token));
        var grown = Memory(gateway) - memory - held;
        await attack.CancelAsync();
        var cutOff = await Task.WhenAll(attackers).WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);

        output.WriteLine(
            $"{Connections} connections at once, {cutOff.Sum()} cut off in all; "
            + $"memory {memory >> 20} MiB before, {held >> 20:+0;-0} with them, {grown >> 20:+0;-0} over the second half");
        output.WriteLine($"p99 before {P99(before):F1} ms of {before.Count}, during {P99(during):F1} ms of {during.Count}");
        Assert.All(cutOff, times => Assert.True(times > 0));
        // What a connection holds, and no more the longer it lasts or the more often it comes again.
        Assert.True(held + grown < 256 << 20, $"memory grew by {(held + grown) >> 20} MiB");
    }

    private static double P99(List<double> times) => times.Order().ElementAt(times.Count * 99 / 100);

    private static long Memory(GatewayProcess gateway)
    {
        using var process = Process.GetProcessById(gateway.Id);
        return process.WorkingSet64;
    }

    /// <summary>One request after another, as one client makes them, for a time and at least so many; all of them succeed.</summary>
    private static async Task<List<double>> ServeAsync(World world, GatewayProcess gateway, TimeSpan span, CancellationToken cancellation)
    {
        var times = new List<double>();
        for (var begun = Stopwatch.StartNew(); (begun.Elapsed < span || times.Count < FewestRequests) && !cancellation.IsCancellationRequested;)
        {
            var sent = Stopwatch.GetTimestamp();
            Assert.Equal(200, (await world.Client.SendAsync($"{gateway.Url}/open/{times.Count}")).Status);
            times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            await Task.Delay(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        }

        return times;
    }

    /// <summary>Connects, drips until it is cut off, and again; how often it was cut off.</summary>
    private static async Task<int> AttackAsync(GatewayProcess gateway, bool isBody, CancellationToken end)
    {
        var head = Encoding.ASCII.GetBytes(isBody
            ? "POST /open/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n"
            : "GET /open/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ");
        var times = 0;
        do
        {
            using var client = new TcpClient { NoDelay = true };
            await client.ConnectAsync(IPAddress.Loopback, new Uri(gateway.Url).Port, CancellationToken.None);
            var stream = client.GetStream();
            var cutOff = ReadToEndAsync(stream);
            try
            {
                await stream.WriteAsync(head, CancellationToken.None);
                while (!cutOff.IsCompleted)
                {
                    await Task.WhenAny(cutOff, Task.Delay(s_between, CancellationToken.None));
                    await stream.WriteAsync("x"u8.ToArray(), CancellationToken.None);
                }
            }
            catch (IOException)
            {
                // Closed while a byte was on its way.
            }

            await cutOff;
            times++;
        }
        while (!end.IsCancellationRequested);
        return times;
    }

    private static async Task ReadToEndAsync(NetworkStream stream)
    {
        var answer = new byte[256];
        try
        {
            while (await stream.ReadAsync(answer) > 0) { }
        }
        catch (IOException)
        {
            // Reset: as good as closed.
        }
    }
}
