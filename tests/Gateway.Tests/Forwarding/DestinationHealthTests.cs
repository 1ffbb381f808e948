using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Tests.Management;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>F6: a service that stays down is told once when it is taken out, once when it is back, and by a gauge in between.</summary>
public sealed partial class DestinationHealthTests
{
    [Theory]
    [InlineData(
        "Active", """{ "Active": { "Enabled": true, "Interval": "00:00:00.1", "Timeout": "00:00:10", "Path": "/health" } }""", "its health check fails")]
    [InlineData(
        "Passive", """{ "Passive": { "Enabled": true, "Policy": "TransportFailureRate", "ReactivationPeriod": "00:00:00.3" } }""", "requests to it fail")]
    public async Task F6_a_destination_that_stays_down_is_one_line_and_one_more_when_it_is_back(string kind, string checks, string cause)
    {
        await using var world = await World.StartAsync();
        var isDown = false;
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        await using var service = builder.Build();
        service.Run(context =>
        {
            if (Volatile.Read(ref isDown)) context.Abort();
            return Task.CompletedTask;
        });
        await service.StartAsync(TestContext.Current.CancellationToken);
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("ReverseProxy:Clusters:checked", $$"""{ "Destinations": { "a": { "Address": "{{service.Urls.First()}}" } }, "HealthCheck": {{checks}} }""")
            .Route("checked", "/checked/{**rest}", """{ "ClusterId": "checked" }"""));
        await UnhealthyAsync(0);

        Volatile.Write(ref isDown, true);
        await UnhealthyAsync(1);
        await gateway.Log.WaitForAsync(LogLevel.Warning, "is unhealthy");
        var (status, why) = await world.ReadinessAsync(gateway, "services");
        Assert.Equal("Degraded", status);
        Assert.StartsWith("checked/a: unhealthy since ", why, StringComparison.Ordinal);
        Assert.EndsWith($"Z ({cause})", why, StringComparison.Ordinal);
        // A passive check tries the destination again after each reactivation.
        for (var repeated = 0; repeated < 20; repeated++) await UnhealthyAsync(1);
        Volatile.Write(ref isDown, false);
        await UnhealthyAsync(0);
        await gateway.Log.WaitForAsync(LogLevel.Information, "is healthy again");
        Assert.Equal(("Healthy", null), await world.ReadinessAsync(gateway, "services"));

        var told = Line().Matches(gateway.Log.Text).Select(static line => line.Value).ToArray();
        Assert.Equal(
            (kind, $"Warning Gateway.Forwarding.DestinationHealthReport: The destination a of the cluster checked is unhealthy: {cause}"),
            (kind, told[0].Trim()));
        Assert.StartsWith(
            "Information Gateway.Forwarding.DestinationHealthReport: The destination a of the cluster checked is healthy again, after ", told[1],
            StringComparison.Ordinal);
        Assert.Equal(2, told.Length);
        Assert.InRange(gateway.Log.Count(LogLevel.Warning, "The destination a of the cluster checked failed"), 0, 3);
        Assert.DoesNotContain("   at ", gateway.Log.Text, StringComparison.Ordinal);
        Assert.Equal(0, gateway.Log.Count(LogLevel.Warning, "Yarp.ReverseProxy.Health"));

        // The exporter may return what it collected a moment ago.
        Task UnhealthyAsync(int expected) => Eventually.IsTrueAsync(async () =>
        {
            await gateway.SendAsync("/checked/1", world.Token());
            var scrape = (await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body;
            return Gauge().Match(scrape).Groups[1].Value == $"{expected}";
        });
    }

    [Fact]
    public async Task The_outage_and_the_series_of_a_destination_end_with_it()
    {
        await using var world = await World.StartAsync();
        await using var service = new StubTcpServer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        var gateway = await world.StartGatewayAsync(settings => Name(settings.WithoutRedis(), "a")
            .Route("checked", "/checked/{**rest}", """{ "ClusterId": "checked" }"""));
        await ScrapeAsync(Gauge().IsMatch);
        await gateway.Log.WaitForAsync(LogLevel.Warning, "The destination a of the cluster checked is unhealthy");

        await gateway.ChangeAsync(settings => Name(settings, "b"));

        await ScrapeAsync(scrape => scrape.Contains("cluster=\"checked\",destination=\"b\"", StringComparison.Ordinal) && !Gauge().IsMatch(scrape));
        await gateway.Log.WaitForAsync(LogLevel.Information, "The destination a of the cluster checked, unhealthy for ");

        JsonObject Name(JsonObject settings, string destination) => settings.Set("ReverseProxy:Clusters:checked", $$"""
            {
              "Destinations": { "{{destination}}": { "Address": "http://127.0.0.1:{{service.Port}}" } },
              "HealthCheck": { "Active": { "Enabled": true, "Interval": "00:00:00.1", "Timeout": "00:00:10", "Path": "/wrong" } }
            }
            """);

        Task ScrapeAsync(Predicate<string> condition) =>
            Eventually.IsTrueAsync(async () => condition((await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body));
    }

    [Fact]
    public async Task A_kind_of_check_that_is_switched_off_keeps_no_destination_unhealthy()
    {
        await using var world = await World.StartAsync();
        await using var service = new StubTcpServer("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        var gateway = await world.StartGatewayAsync(settings => Check(settings.WithoutRedis(), isActive: true)
            .Route("checked", "/checked/{**rest}", """{ "ClusterId": "checked" }"""));
        await gateway.Log.WaitForAsync(LogLevel.Warning, "is unhealthy: its health check fails");

        await gateway.ChangeAsync(settings => Check(settings, isActive: false));

        await gateway.Log.WaitForAsync(LogLevel.Information, "is healthy again");

        JsonObject Check(JsonObject settings, bool isActive) => settings.Set("ReverseProxy:Clusters:checked", $$"""
            {
              "Destinations": { "a": { "Address": "http://127.0.0.1:{{service.Port}}" } },
              "HealthCheck": {
                "Active": { "Enabled": {{(isActive ? "true" : "false")}}, "Interval": "00:00:00.1", "Timeout": "00:00:10", "Path": "/wrong" },
                "Passive": { "Enabled": true, "Policy": "TransportFailureRate", "ReactivationPeriod": "00:00:15" }
              }
            }
            """);
    }

    [GeneratedRegex("gateway_destination_unhealthy\\{[^}]*cluster=\"checked\",destination=\"a\"[^}]*\\} ([01])")]
    private static partial Regex Gauge();

    [GeneratedRegex("^.*DestinationHealthReport: .*$", RegexOptions.Multiline)]
    private static partial Regex Line();
}
