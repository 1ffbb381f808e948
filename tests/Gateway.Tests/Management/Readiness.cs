using System.Text.Json.Nodes;
using Testing;

namespace Gateway.Tests.Management;

/// <summary>Reads <c>/health/ready</c> as JSON.</summary>
internal static class Readiness
{
    public static Task<Response> ReadinessAsync(this World world, string managementUrl) => world.Client.SendAsync(
        managementUrl + "/health/ready", change: static request => request.Headers.Add("Accept", "application/json"));

    public static async Task<(string? Status, string? Description)> ReadinessAsync(this World world, RunningGateway gateway, string check) =>
        Of(await world.ReadinessAsync(gateway.ManagementUrl), check);

    public static (string? Status, string? Description) Of(Response ready, string check)
    {
        var found = JsonNode.Parse(ready.Body)!["checks"]![check]!;
        return ((string?)found["status"], (string?)found["description"]);
    }
}
