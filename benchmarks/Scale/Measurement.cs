using System.Text.Json.Nodes;
using IotCredentials.Vending;
using Sandbox;
using Testing;

namespace Scale;

/// <summary>The parameters of the model that this machine can tell: what each step of vending asks of Redis, and the size of an entry there.</summary>
internal static class Measurement
{
    private const int Organizations = 100;
    private const int Others = 100_000;

    public static async Task PrintAsync()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var one = await StartAsync(world);
        var two = await StartAsync(world);
        var organizations = Enumerable.Range(0, Organizations).Select(i => $"o-measured{i}").ToArray();
        var token = world.Token([.. organizations, "o-first"]);
        foreach (var gateway in (GatewayProcess[])[one, two]) await AskAsync(world, gateway, "o-first", token);

        await ReportAsync(world, "a cold organization", Organizations, () => AskAllAsync(world, one, organizations, token));
        await ReportAsync(world, "an organization in memory", Organizations, () => AskAllAsync(world, one, organizations, token));
        await ReportAsync(world, "an organization in Redis", Organizations, () => AskAllAsync(world, two, organizations, token));
        await Task.Delay(TimeSpan.FromSeconds(20));
        world.Aws.Calls.Clear();
        await ReportAsync(world, "a renewal behind a caller", Organizations, async () =>
        {
            await AskAllAsync(world, one, organizations, token);
            await world.Aws.Calls.WaitForAsync(call => call.Action == "AssumeRole", Organizations);
            await Task.Delay(TimeSpan.FromSeconds(2));
        });

        await using var connection = await world.Redis.ConnectAsync();
        var database = connection.GetDatabase();
        var (entries, bytes, nameLength) = (0, 0L, 0);
        await foreach (var key in connection.GetServer(world.Redis.ConnectionString).KeysAsync(pattern: world.KeyPrefix + "v2:*-*-*"))
        {
            entries++;
            bytes += (long)await database.ExecuteAsync("MEMORY", "USAGE", key);
            nameLength = key.ToString().Length;
        }

        Console.WriteLine(FormattableString.Invariant($"| Redis memory of an entry (MEMORY USAGE, {entries} entries) | {(double)bytes / entries:F0} bytes |"));

        // Names as those of the shipped prefix; their content does not matter to SCAN.
        foreach (var chunk in Enumerable.Range(0, Others).Chunk(1_000))
            await Task.WhenAll(chunk.Select(i => database.StringSetAsync($"{world.KeyPrefix}v2:".PadRight(nameLength - 8, '0') + $"{i:D8}", "")));
        var operators = world.Issuer.Issue(new TokenRequest { Roles = ["platform-operator"] });
        var before = await CommandStats.ReadAsync(world.Redis);
        var status = (await world.Client.SendAsync($"{one.ManagementUrl}/organizations/{organizations[0]}/credentials", operators, "DELETE")).Status;
        await Task.Delay(TimeSpan.FromSeconds(10));
        var spent = (await CommandStats.ReadAsync(world.Redis)).Since(before);
        Console.WriteLine(FormattableString.Invariant(
            $"| an invalidation ({status}), 2 replicas, {Others:N0} entries, pages of {StaleEntryRemoval.PageSize} | {spent.Per(1)} |"));
        var scans = spent.Calls["scan"];
        Console.WriteLine(FormattableString.Invariant(
            $"| … each SCAN | {spent.Sent / (double)scans:F0} bytes, {spent.Microseconds["scan"] / (double)scans:F0} µs |"));
    }

    private static Task<GatewayProcess> StartAsync(World world) => world.StartGatewayProcessAsync(settings =>
    {
        settings["IotCredentials"]!["Profiles"]!["default"]!["RefreshAfter"] = "00:00:20";
        settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("platform-operator") };
        settings["Management"]!["AuthorizationPolicy"] = "Operators";
    });

    private static async Task ReportAsync(World world, string what, int times, Func<Task> run)
    {
        var before = await CommandStats.ReadAsync(world.Redis);
        await run();
        var spent = (await CommandStats.ReadAsync(world.Redis)).Since(before);
        Console.WriteLine($"| {what} | {spent.Per(times)} |");
    }

    private static async Task AskAllAsync(World world, GatewayProcess gateway, string[] organizations, string token)
    {
        foreach (var organization in organizations) await AskAsync(world, gateway, organization, token);
    }

    private static async Task AskAsync(World world, GatewayProcess gateway, string organization, string token)
    {
        var response = await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), token);
        if (response.Status != 200) throw new InvalidOperationException($"{organization}: {response.Status} {response.Body}");
    }
}
