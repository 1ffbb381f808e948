using System.Text.Json;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Logs;

/// <summary>The JSON lines of a gateway in this process: its access log and its audit log.</summary>
internal static class AccessLines
{
    private const string Prefix = "{\"time\":";

    /// <summary>All lines.</summary>
    public static IEnumerable<string> Of(RunningGateway gateway) =>
        gateway.Log.Text.Split('\n').Where(static line => line.StartsWith(Prefix, StringComparison.Ordinal));

    /// <summary>Waits for the one line of a path.</summary>
    public static Task<JsonElement> OfPathAsync(RunningGateway gateway, string path) => WithAsync(gateway, $"\"path\":\"{path}\"");

    /// <summary>Waits for the one line that has a part.</summary>
    public static async Task<JsonElement> WithAsync(RunningGateway gateway, string part)
    {
        await gateway.Log.WaitForAsync(LogLevel.Information, part);
        return JsonDocument.Parse(Assert.Single(Of(gateway), line => line.Contains(part, StringComparison.Ordinal))).RootElement;
    }
}
