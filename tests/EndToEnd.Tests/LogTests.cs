using System.Text.Json;
using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The console is written as the framework's settings say, to the last line.</summary>
public sealed class LogTests
{
    [Fact]
    public async Task Every_request_is_told_once_in_the_form_that_operators_choose()
    {
        const int Requests = 200;
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(settings => settings["Logging"]!["Console"] = new JsonObject { ["FormatterName"] = "json" });
        var token = world.Token("o-acme");

        await Task.WhenAll(Enumerable.Range(0, Requests).Select(i => world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/request-{i}", token)));
        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());

        var events = gateway.Output.Split('\n').Where(line => line.StartsWith('{')).Select(line => JsonDocument.Parse(line).RootElement).ToList();
        var paths = events
            .Where(line => line.GetProperty("Category").GetString() == "Gateway.Access")
            .Select(line => JsonDocument.Parse(line.GetProperty("Message").GetString()!).RootElement.GetProperty("path").GetString());
        Assert.Equal(
            Enumerable.Range(0, Requests).Select(i => $"/organizations/o-acme/request-{i}").Order(StringComparer.Ordinal),
            paths.Order(StringComparer.Ordinal));
        Assert.Contains(events, line => line.GetProperty("Category").GetString() == "Microsoft.Hosting.Lifetime");
    }
}
