using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Gateways are replaced one after another, and nobody notices.</summary>
[Collection(LoadTests.Name)]
public sealed class RollingRestartTests(ITestOutputHelper output)
{
    private const int Callers = 8;

    // Callers that never rest would keep the machine from starting the next gateway.
    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(15);

    [Fact]
    public async Task Of_two_replicas_behind_a_balancer_both_are_replaced_under_load_without_a_failed_request()
    {
        await using var world = await World.StartAsync();
        var (first, second) = (await StartAsync(world), await StartAsync(world));
        using var balancer = new TcpBalancer();
        await balancer.UseAsync(first, second);
        using var end = new CancellationTokenSource();
        var failures = new ConcurrentQueue<string>();
        var token = world.Token("o-acme");
        var sent = 0;
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                // A POST is never sent again, not by the client, not by the gateway.
                var method = Interlocked.Increment(ref sent) % 2 == 0 ? "GET" : "POST";
                var path = caller == 0 ? "/organizations/o-acme/slow/700" : "/organizations/o-acme/devices";
                try
                {
                    var answer = await world.Client.SendAsync(
                        balancer.Url + path, token, method, request => request.Content = method == "POST" ? new ByteArrayContent(new byte[100]) : null);
                    if (answer.Status != 200) failures.Enqueue($"{method} {path}: {answer.Status} {answer.Body}");
                }
                catch (HttpRequestException e)
                {
                    failures.Enqueue($"{method} {path}: {e}");
                }

                await Task.Delay(s_between);
            }
        })).ToList();

        var begun = Stopwatch.StartNew();
        var third = await StartAsync(world);
        await balancer.UseAsync(first, second, third);
        await ReplaceAsync(first);
        await balancer.UseAsync(second, third);
        var fourth = await StartAsync(world);
        await balancer.UseAsync(second, third, fourth);
        await ReplaceAsync(second);
        await balancer.UseAsync(third, fourth);
        await end.CancelAsync();
        await Task.WhenAll(callers);

        output.WriteLine($"{sent} requests in {begun.Elapsed.TotalSeconds:F1} s, {failures.Count} failed");
        Assert.Empty(failures);
        Assert.True(sent > 100, $"{sent}");

        async Task ReplaceAsync(GatewayProcess gateway)
        {
            gateway.Signal("TERM");
            var code = await gateway.WaitForExitAsync();
            Assert.True(code == 0, $"{code}\n{gateway.Output}");
            output.WriteLine($"one is gone after {begun.Elapsed.TotalSeconds:F1} s");
        }
    }

    private static async Task<GatewayProcess> StartAsync(World world)
    {
        var gateway = await world.StartGatewayProcessAsync(settings =>
        {
            settings["Shutdown"] = new JsonObject { ["Delay"] = "00:00:04", ["Timeout"] = "00:00:10" };
            settings["Logging"]!["LogLevel"] = new JsonObject
            {
                ["Default"] = "Warning",
                ["Microsoft.Hosting.Lifetime"] = "Information",
                ["Gateway.Management"] = "Information"
            };
        });
        Assert.Equal(200, (await world.Client.SendAsync(gateway.Url + "/organizations/o-acme/warm", world.Token("o-acme"))).Status);
        return gateway;
    }
}
