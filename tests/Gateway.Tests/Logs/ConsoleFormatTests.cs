using System.Text.Json;
using Testing;
using Xunit;

namespace Gateway.Tests.Logs;

/// <summary>Operators choose the form of the ordinary log. Its lines have a time in each, and the access log stays JSON.</summary>
public sealed class ConsoleFormatTests
{
    private const string AccessLine = "{\"time\":";

    // The plain formatter writes a header with the time, and the message below it.
    [Theory]
    [InlineData(null, "^([0-9-]{10}T[0-9:.]{12}Z (trce|dbug|info|warn|fail|crit): |      )")]
    [InlineData("json", "^{\"Timestamp\":\"[0-9-]{10}T[0-9:.]{12}Z\",.*}$")]
    public async Task F4_ordinary_lines_have_a_time_and_access_lines_are_JSON(string? formatter, string ordinaryLine)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(settings =>
        {
            if (formatter is not null) settings.Set("Logging:Console:FormatterName", $"\"{formatter}\"");
        });

        await world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/1", world.Token("o-acme"));
        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());

        var lines = gateway.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToLookup(line => line.StartsWith(AccessLine, StringComparison.Ordinal));
        Assert.Equal("/organizations/o-acme/1", JsonDocument.Parse(Assert.Single(lines[true])).RootElement.GetProperty("path").GetString());
        Assert.Contains(lines[false], line => line.Contains("Application started", StringComparison.Ordinal));
        Assert.All(lines[false], line => Assert.Matches(ordinaryLine, line));
    }
}
