using System.Diagnostics;
using System.Text.Json.Nodes;
using Testing;

namespace Vending;

/// <summary>Callers of a world's gateways, and the gateways' configuration: what ships, without the limit that a benchmark would run into.</summary>
internal static class Callers
{
    // As shipped: a line for every request is not what vending costs.
    public static void Quiet(JsonObject settings)
    {
        var levels = settings["Logging"]!["LogLevel"]!.AsObject();
        foreach (var category in (string[])["Microsoft.AspNetCore", "Yarp", "System.Net.Http"]) levels[category] = "Warning";
    }

    public static void BigBudget(JsonObject settings) =>
        settings["IotCredentials"]!["Sts"] = new JsonObject { ["PermitsPerSecond"] = 10_000, ["MaxConcurrent"] = 1_000 };

    /// <summary>One response's time in milliseconds. A benchmark of failures would be none.</summary>
    public static async Task<double> AskAsync(World world, string gateway, string organization, string token)
    {
        var begun = Stopwatch.GetTimestamp();
        var response = await world.Client.SendAsync(gateway + Requests.CredentialsPath(organization), token);
        var took = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        return response.Status == 200 ? took : throw new InvalidOperationException($"{organization}: {response.Status} {response.Body}");
    }

    /// <summary>Callers at once for one organization, on each gateway; how long until all have a response.</summary>
    public static async Task<double> AllAtOnceAsync(World world, IEnumerable<string> gateways, int callers, string organization)
    {
        var token = world.Token(organization);
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(gateways.SelectMany(gateway => Enumerable.Range(0, callers).Select(_ => AskAsync(world, gateway, organization, token))));
        return Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
    }

    /// <summary>A closed loop: so many callers, each of which asks again, for the next organization, once it has its response.</summary>
    public static async Task<Latencies> LoopAsync(World world, string gateway, string[] organizations, int callers, TimeSpan duration)
    {
        var token = world.Token(organizations);
        var begun = Stopwatch.GetTimestamp();
        var took = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var mine = new List<double>();
            for (var i = caller; Stopwatch.GetElapsedTime(begun) < duration; i++)
                mine.Add(await AskAsync(world, gateway, organizations[i % organizations.Length], token));
            return mine;
        })));
        return new(took.SelectMany(each => each));
    }
}
