using System.Diagnostics;
using System.Globalization;
using Sandbox;
using Testing;

namespace Scale;

/// <summary>
/// The model beside what it models: the same requests, at the same times and to the same replicas, go to the simulation and to gateways in processes of their
/// own, with the emulated STS and a Redis.
/// </summary>
internal sealed class Check : IRespond
{
    private const int Seed = 20;
    private const int Replicas = 3;
    private const int Organizations = 200;
    private const double Duration = 150;
    private const double MostOften = 4;
    private const double LeastOften = 120;
    private static readonly TimeSpan s_session = TimeSpan.FromMinutes(3);

    private static readonly Setting s_setting = new()
    {
        Organizations = Organizations,
        Replicas = Replicas,
        Session = s_session.TotalSeconds,
        Minimum = 60,
        RefreshAfter = 20,
        WorkTimeout = 18,
        CallTimeout = 15,
        Step = 0.01,
        StsLatency = 0.01,
    };

    public static async Task PrintAsync()
    {
        var requests = Plan();
        var simulated = Simulate(requests);
        await using var world = await World.StartAsync(ownRedis: true);
        // STS grants no session as short as this, which is why the sandbox has to.
        world.Aws.Inject(AwsFault.GrantOnly(s_session), "AssumeRole");
        var gateways = await Task.WhenAll(Enumerable.Range(0, Replicas).Select(_ => world.StartGatewayProcessAsync(settings =>
        {
            var profile = settings["IotCredentials"]!["Profiles"]!["default"]!;
            profile["RefreshAfter"] = TimeSpan.FromSeconds(s_setting.RefreshAfter).ToString("c", CultureInfo.InvariantCulture);
            profile["MinimumLifetime"] = TimeSpan.FromSeconds(s_setting.Minimum).ToString("c", CultureInfo.InvariantCulture);
        })));
        var token = world.Token([.. Enumerable.Range(0, Organizations).Select(Name), "o-first"]);
        foreach (var gateway in gateways) await AskAsync(world, gateway, "o-first", token);
        world.Aws.Calls.Clear();
        var (vendsBefore, before) = (await VendsAsync(world, gateways), await CommandStats.ReadAsync(world.Redis));

        var begun = Stopwatch.GetTimestamp();
        var latest = TimeSpan.Zero;
        var asked = new List<Task>();
        foreach (var (time, replica, organization) in requests)
        {
            var early = TimeSpan.FromSeconds(time) - Stopwatch.GetElapsedTime(begun);
            if (early > TimeSpan.Zero) await Task.Delay(early);
            else if (-early > latest) latest = -early;
            asked.Add(AskAsync(world, gateways[replica], Name(organization), token));
        }

        await Task.WhenAll(asked);
        // The last renewals.
        await Task.Delay(TimeSpan.FromSeconds(2));
        var spent = (await CommandStats.ReadAsync(world.Redis)).Since(before);
        var vends = await VendsAsync(world, gateways);
        long Vends(string outcome) => vends.GetValueOrDefault(outcome) - vendsBefore.GetValueOrDefault(outcome);

        Console.WriteLine($"{DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} cores, {(RedisServer.IsReal ? "redis-server" : "Garnet")}");
        Console.WriteLine(FormattableString.Invariant($"The latest request was sent {latest.TotalMilliseconds:F0} ms after its time.\n"));
        Console.WriteLine("| | simulated | counted | difference |\n|---|---:|---:|---:|");
        Row("requests", simulated.Requests, requests.Count);
        Row("served from memory", simulated.FromMemory, Vends("l1"));
        Row("served from Redis", simulated.FromRedis, Vends("redis"));
        Row("served after a call", simulated.AfterCall, Vends("sts"));
        Row("AssumeRole", simulated.StsRequests, world.Aws.Count("AssumeRole"));
        Row("Redis commands", (long)simulated.Commands, spent.Total);
        Row("… reads", simulated.Reads, spent.Calls.GetValueOrDefault("hmget"));
        Console.WriteLine($"\n{spent.Per(1)}");
    }

    public void Served(int client, double remaining)
    {
    }

    public void Failed(int client, double retryAfter) => throw new InvalidOperationException("The simulation has no outage, and yet a request failed.");

    // Organizations are asked for as often as every four seconds, and as rarely as every two minutes.
    private static List<(double Time, int Replica, int Organization)> Plan()
    {
        var random = new Random(Seed);
        var requests = new List<(double Time, int Replica, int Organization)>();
        for (var organization = 0; organization < Organizations; organization++)
        {
            var interval = MostOften * Math.Pow(LeastOften / MostOften, (double)organization / (Organizations - 1));
            for (var time = Next(random, interval); time < Duration; time += Next(random, interval)) requests.Add((time, random.Next(Replicas), organization));
        }

        requests.Sort();
        return requests;
    }

    private static double Next(Random random, double mean) => -mean * Math.Log(1 - random.NextDouble());

    private static Counts Simulate(List<(double Time, int Replica, int Organization)> requests)
    {
        var region = new Region(s_setting, requests.Count, new Check(), new Random(Seed));
        for (var next = 0; region.Now < Duration + s_setting.WorkTimeout; region.Step())
        {
            for (; next < requests.Count && requests[next].Time <= region.Now; next++) region.Ask(next, requests[next].Replica, requests[next].Organization);
        }

        var sum = region.Rest;
        foreach (var minute in region.Minutes) sum.Add(minute);
        return sum;
    }

    private static void Row(string what, long simulated, long counted)
    {
        var difference = counted == 0 ? 0 : 100.0 * (simulated - counted) / counted;
        Console.WriteLine(FormattableString.Invariant($"| {what} | {simulated:N0} | {counted:N0} | {difference:+0.0;-0.0;0.0} % |"));
    }

    private static string Name(int organization) => $"o-checked{organization}";

    private static async Task AskAsync(World world, GatewayProcess gateway, string organization, string token)
    {
        var response = await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath(organization), token);
        if (response.Status != 200) throw new InvalidOperationException($"{organization}: {response.Status} {response.Body}");
    }

    private static async Task<Dictionary<string, long>> VendsAsync(World world, GatewayProcess[] gateways)
    {
        var vends = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var gateway in gateways)
        {
            foreach (var line in (await world.Client.GetStringAsync(new Uri(gateway.ManagementUrl + "/metrics"))).Split('\n'))
            {
                if (!line.StartsWith("iotcredentials_vends_total{", StringComparison.Ordinal)) continue;
                var outcome = line.Split("outcome=\"")[1].Split('"')[0];
                vends[outcome] = vends.GetValueOrDefault(outcome) + (long)double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture);
            }
        }

        return vends;
    }
}
