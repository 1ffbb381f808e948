using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Three destinations, each a process, of which one after another is killed, restarted and slowed. <c>FAILURE_REQUESTS</c> makes it longer.</summary>
[Trait("Category", "Long")]
[Collection(LoadTests.Name)]
public sealed class ServiceFailureTests(ITestOutputHelper output)
{
    private const int Callers = 16;

    private static int Total => Environment.GetEnvironmentVariable("FAILURE_REQUESTS") is { Length: > 0 } text
        ? int.Parse(text, CultureInfo.InvariantCulture)
        : 500;

    [Fact]
    public async Task With_one_of_three_destinations_killed_restarted_and_slowed_in_turn_no_idempotent_request_fails()
    {
        await using var world = await World.StartAsync();
        await using var a = await ServiceProcess.StartAsync();
        await using var b = await ServiceProcess.StartAsync();
        await using var c = await ServiceProcess.StartAsync();
        var machine = await Machine.MeasureAsync(() => world.Client.SendAsync(a.Url + "organizations/o-acme/devices"), output.WriteLine);
        var timeout = machine.Within(TimeSpan.FromSeconds(1));
        var gateway = await world.StartGatewayProcessAsync(settings => Change(settings, timeout, a, b, c));
        var answered = new ConcurrentDictionary<int, long>();
        var failures = new ConcurrentQueue<string>();
        var times = new ConcurrentBag<double>();
        var token = world.Token("o-acme");
        var sent = 0;
        var faulting = 1;

        async Task<long> AnswerFromAsync(ServiceProcess service, long since)
        {
            await Eventually.IsTrueAsync(() => answered.GetValueOrDefault(service.Port) > since, () => $"{service.Url} served nothing.\n{gateway.Output}");
            return answered[service.Port];
        }

        var callers = Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref sent) <= Total || Volatile.Read(ref faulting) == 1)
            {
                var begun = Stopwatch.GetTimestamp();
                var answer = await world.Client.SendAsync(gateway.Url + "/organizations/o-acme/devices", token);
                times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                if (answer.Status != 200) failures.Enqueue($"{answer.Status} {answer.Body}");
                else answered[new Uri("http://" + answer.Json.GetProperty("headers").GetProperty("Host")[0].GetString()).Port] = Stopwatch.GetTimestamp();
                // In a short run, callers that never rest would starve the services.
                if (Total <= 2_000) await Task.Delay(TimeSpan.FromMilliseconds(20));
            }
        })).ToList();

        foreach (var service in new[] { a, b, c })
        {
            await AnswerFromAsync(service, 0);
            await service.KillAsync();
            await PassAsync(TimeSpan.FromSeconds(1));
            var back = Stopwatch.GetTimestamp();
            await service.RestartAsync();
            var killed = Stopwatch.GetElapsedTime(back, await AnswerFromAsync(service, back));

            service.Pause();
            await PassAsync(timeout + TimeSpan.FromSeconds(1));
            back = Stopwatch.GetTimestamp();
            service.Resume();
            var slowed = Stopwatch.GetElapsedTime(back, await AnswerFromAsync(service, Stopwatch.GetTimestamp()));
            output.WriteLine($"served again {killed.TotalSeconds:F2} s after its restart, {slowed.TotalSeconds:F2} s after its pause");
        }

        Volatile.Write(ref faulting, 0);
        await Task.WhenAll(callers);
        var sorted = times.Order().ToList();
        output.WriteLine(
            $"{sorted.Count} requests, {failures.Count} failed; p50 {sorted[sorted.Count / 2]:F1} ms, p99 {sorted[sorted.Count * 99 / 100]:F1} ms, "
            + $"slowest {sorted[^1]:F1} ms");
        Assert.Empty(failures);
    }

    private static void Change(JsonObject settings, TimeSpan timeout, params ServiceProcess[] services)
    {
        settings["ReverseProxy"]!["Routes"]!["organizations"]!["Metadata"] = new JsonObject { ["Retries"] = "2" };
        settings["ReverseProxy"]!["Clusters"]!["organizations"] = new JsonObject
        {
            ["Destinations"] = new JsonObject(services.Select(service =>
                KeyValuePair.Create<string, JsonNode?>(service.Port.ToString(CultureInfo.InvariantCulture), new JsonObject { ["Address"] = service.Url }))),
            ["HttpRequest"] = new JsonObject { ["ActivityTimeout"] = timeout.ToString() },
            ["HealthCheck"] = JsonNode.Parse($$"""
                {
                  "Active": { "Enabled": true, "Interval": "00:00:00.5", "Timeout": "{{timeout}}", "Policy": "ConsecutiveFailures", "Path": "/health" },
                  "Passive": { "Enabled": true, "Policy": "TransportFailureRate", "ReactivationPeriod": "00:00:02" }
                }
                """),
        };
        settings["Logging"]!["LogLevel"] = new JsonObject
        {
            ["Default"] = "Error",
            ["Microsoft.Hosting.Lifetime"] = "Information",
            ["Gateway.Management"] = "Information"
        };
    }

    // The faults are what takes time here, not the waiting for something to come about.
    private static async Task PassAsync(TimeSpan span)
    {
        using var timer = new PeriodicTimer(span);
        await timer.WaitForNextTickAsync();
    }
}
