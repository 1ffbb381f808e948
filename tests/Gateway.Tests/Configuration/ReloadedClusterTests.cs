using System.Text.Json.Nodes;
using Gateway.Routes;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>The ids that YARP has clusters under: kept while a cluster does not change, and never those of one that was there before.</summary>
public sealed class ReloadedClusterTests : IAsyncLifetime
{
    private World _world = null!;
    private RunningGateway _gateway = null!;

    public async ValueTask InitializeAsync()
    {
        _world = await World.StartAsync();
        _gateway = await _world.StartGatewayAsync(settings => Add(settings.WithoutRedis(), "first"));
    }

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task A_cluster_that_is_gone_is_forgotten_and_gets_another_id_when_it_returns()
    {
        await _gateway.ChangeAsync(settings => Add(settings, "second"));
        var (first, second) = (IdOf("first"), IdOf("second"));
        await _gateway.ChangeAsync(settings => Remove(Remove(settings, "first"), "second"));
        await _gateway.ChangeAsync(settings => Add(settings, "third"));

        await _gateway.ChangeAsync(settings => Add(Add(settings, "first"), "second"));

        Assert.NotEqual(first, IdOf("first"));
        Assert.NotEqual(second, IdOf("second"));
        foreach (var name in (string[])["first", "second", "third"])
            Assert.Equal(200, (await _gateway.SendAsync($"/{name}/1", _world.Token())).Status);
    }

    [Fact]
    public async Task A_cluster_that_stays_keeps_its_id()
    {
        var first = IdOf("first");
        for (var i = 0; i < 3; i++) await _gateway.ChangeAsync(settings => Add(settings, $"other{i}"));
        Assert.Equal(first, IdOf("first"));
    }

    private static JsonObject Add(JsonObject settings, string name) => settings.Route(name, $"/{name}/{{**rest}}", $$"""{ "ClusterId": "{{name}}" }""")
        .Set($"ReverseProxy:Clusters:{name}", settings["ReverseProxy"]!["Clusters"]!["organizations"]!.ToJsonString());

    private static JsonObject Remove(JsonObject settings, string name)
    {
        foreach (var section in (string[])["Routes", "Clusters"]) settings["ReverseProxy"]![section]!.AsObject().Remove(name);
        return settings;
    }

    private string IdOf(string name)
    {
        var table = _gateway.Services.GetRequiredService<SnapshotRoutes>().Current;
        return table.Clusters.Zip(table.Snapshot.Clusters).Single(pair => pair.Second.ClusterId == name).First.ClusterId;
    }
}
