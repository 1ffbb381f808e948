using System.Diagnostics;
using System.Text;
using Gateway.Authentication;
using Gateway.Configuration.Loading;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>A hundred thousand keys. The class runs beside no other: reading them takes memory, whose collection would stop the clocks of others.</summary>
[Collection(LoadTests.Name)]
public sealed class ApiKeyLoadTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_hundred_thousand_keys_load_and_are_found()
    {
        await using var world = await World.StartAsync();
        // The heap of tests is limited, and what other tests left behind is not this one's.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        var few = Measure(world, 10);
        var many = Measure(world, 100_000);

        output.WriteLine($"load: {few.Load.TotalSeconds:F2} s for 10, {many.Load.TotalSeconds:F2} s for 100,000 (2 s are promised)");
        output.WriteLine($"look-up: {few.LookUp:F0} ns of 10, {many.LookUp:F0} ns of 100,000 (1,000 ns more are promised)");
    }

    private static (TimeSpan Load, double LookUp) Measure(World world, int count)
    {
        var keys = Enumerable.Range(0, count).Select(static number => $"device-gateway-{number}-0123456789").ToArray();
        using var folder = world.Folder(static settings => settings.WithoutRedis().Set("Authentication:ApiKeys:Keys", "{}"));
        folder.Write("appsettings.json", folder.Read("appsettings.json").Replace("\"Keys\":{}", $"\"Keys\":{EntriesOf(keys)}", StringComparison.Ordinal));

        var begun = Stopwatch.GetTimestamp();
        var read = ConfigurationFolder.Load(["--config", folder.Path], "Test", new Dictionary<string, string?>());
        var load = Stopwatch.GetElapsedTime(begun);
        Assert.Equal(count, read.Snapshot!.Options.Authentication.ApiKeys!.Keys.Count);

        using var table = new ApiKeyTable(new(read.Snapshot), TimeProvider.System);
        const int Rounds = 20_000;
        begun = 0;
        for (var round = -Rounds; round < Rounds; round++)
        {
            if (round == 0) begun = Stopwatch.GetTimestamp();
            Assert.NotNull(table.Find(keys[(round & int.MaxValue) % count]));
        }

        return (load, Stopwatch.GetElapsedTime(begun).TotalNanoseconds / Rounds);
    }

    private static string EntriesOf(string[] keys)
    {
        var entries = new StringBuilder("{");
        foreach (var (number, key) in keys.Index())
            entries.Append(number == 0 ? "" : ",").Append(
                $$"""
                "device-gateway-{{number}}": { "Sha256": "{{ApiKeyText.Sha256Of(key)}}", "Organizations": ["o-{{number}}"] }
                """);
        return entries.Append('}').ToString();
    }
}
