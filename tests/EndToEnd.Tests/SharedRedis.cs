using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Two gateways before one Redis.</summary>
internal static partial class SharedRedis
{
    /// <summary>The lines of a page that make the gateway's user, as an operator copies them, with a test's prefix and password.</summary>
    public static IEnumerable<string[]> RightsOf(string page, string keyPrefix, string password) => DocumentedUser().Matches(page).Select(line => line.Value
        .Replace("iotcredentials:", keyPrefix, StringComparison.Ordinal).Replace("PASSWORD", password, StringComparison.Ordinal).Split(' '));

    /// <summary>Two gateways share what they vend through a connection string, and warn of nothing. Returns them.</summary>
    public static async Task<GatewayProcess[]> AssertAsync(
        World world, string connectionString, IReadOnlyDictionary<string, string> environment, params string[] secrets)
    {
        var gateways = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => world.StartGatewayProcessAsync(
            settings => settings["ConnectionStrings"]!["Redis"] = connectionString, environment)));
        // In a cluster, organizations are on different nodes.
        for (var i = 0; i < 12; i++)
        {
            var vended = await VendAsync(world, gateways[i % 2], $"o-{i}");
            var shared = await VendAsync(world, gateways[(i + 1) % 2], $"o-{i}");
            Assert.True(vended.Status == 200 && vended.AccessKeyId == shared.AccessKeyId, Output(gateways));
        }

        var output = Output(gateways);
        Assert.True(!output.Contains("warn:", StringComparison.Ordinal) && !output.Contains("fail:", StringComparison.Ordinal), output);
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, output, StringComparison.Ordinal));
        return gateways;
    }

    public static Task<Response> VendAsync(World world, GatewayProcess gateway, string organization) =>
        world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), world.Token(organization));

    /// <summary>What readiness says of Redis.</summary>
    public static async Task<string?> ReadinessAsync(World world, string managementUrl)
    {
        var response = await world.Client.SendAsync(
            managementUrl + "/health/ready", change: static request => request.Headers.Accept.ParseAdd("application/json"));
        return (string?)JsonNode.Parse(response.Body)!["checks"]!["redis"]!["status"];
    }

    public static string Output(IEnumerable<GatewayProcess> gateways) => string.Join("\n\n", gateways.Select(static gateway => gateway.Output));

    [GeneratedRegex("^ACL SETUSER gateway .*$", RegexOptions.Multiline)]
    private static partial Regex DocumentedUser();
}
