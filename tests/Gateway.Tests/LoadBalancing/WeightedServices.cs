using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.LoadBalancing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.LoadBalancing;

/// <summary>A gateway in front of three services, <c>a</c>, <c>b</c> and <c>c</c>, whose weights a test writes.</summary>
public sealed class WeightedServices : IAsyncDisposable
{
    private readonly Dictionary<string, OrganizationService> _services = [];
    private World _world = null!;

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public RunningGateway Gateway { get; private set; } = null!;

    internal World World => _world;

    public OrganizationService this[string destination] => _services[destination];

    public static async Task<WeightedServices> StartAsync(string policy, string weights, string more = "{}")
    {
        var started = new WeightedServices();
        started._world = await World.StartAsync(started.Time);
        foreach (var name in (string[])["a", "b", "c"]) started._services[name] = await OrganizationService.StartAsync();
        started.Gateway = await started.StartGatewayAsync(policy, weights, more);
        return started;
    }

    public Task<RunningGateway> StartGatewayAsync(string policy, string weights, string more = "{}") =>
        _world.StartGatewayAsync(settings => Change(settings, policy, weights, more));

    /// <summary>Writes other weights, and makes the gateway read them.</summary>
    public async Task ChangeAsync(string policy, string weights, string more = "{}")
    {
        await Gateway.ChangeAsync(settings => Change(settings, policy, weights, more));
        Assert.False(Gateway.IsConfigurationRefused, Gateway.Log.Text);
    }

    /// <summary>Sends requests of one caller, and says which service each went to.</summary>
    public async Task<string> SendAsync(string subject = "alice", RunningGateway? gateway = null)
    {
        var path = $"/weighted/{Guid.NewGuid():N}";
        var response = await (gateway ?? Gateway).SendAsync(path, _world.Issuer.Issue(new TokenRequest { Subject = subject }));
        if (response.Status != 200) Assert.Fail($"{response.Status}\n{Gateway.Log.Text}");
        return _services.Single(service => service.Value.Requests.Snapshot().Any(request => request.Target == path)).Key;
    }

    public async Task<Dictionary<string, int>> SendAsync(int requests)
    {
        var counts = _services.Keys.ToDictionary(static name => name, static _ => 0);
        for (var i = 0; i < requests; i++) counts[await SendAsync()]++;
        return counts;
    }

    /// <summary>The cluster as YARP has it now.</summary>
    internal ClusterState Cluster => Gateway.Services.GetRequiredService<IProxyStateLookup>().GetClusters()
        .Last(static cluster => cluster.ClusterId.StartsWith("weighted", StringComparison.Ordinal));

    internal WeightedCluster Weights => Gateway.Services.GetRequiredService<WeightedClusters>().Of(Cluster);

    internal double ShareOf(string destination) => Weights.ShareOf(Cluster.Destinations[destination]);

    /// <summary>Marks a destination as a passive health check would.</summary>
    public async Task SetHealthAsync(string destination, bool isHealthy)
    {
        var cluster = Cluster;
        Gateway.Services.GetRequiredService<IDestinationHealthUpdater>().SetPassive(
            cluster, cluster.Destinations[destination], isHealthy ? DestinationHealth.Healthy : DestinationHealth.Unhealthy, TimeSpan.FromDays(1));
        await Eventually.IsTrueAsync(() => cluster.DestinationsState.AvailableDestinations.Any(each => each.DestinationId == destination) == isHealthy);
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        foreach (var service in _services.Values) await service.DisposeAsync();
    }

    /// <param name="settings">The settings that are changed.</param>
    /// <param name="policy">The policy.</param>
    /// <param name="weights">Such as <c>a=90 b=10</c>: destinations and their weights.</param>
    /// <param name="more">More keys of the cluster.</param>
    private void Change(JsonObject settings, string policy, string weights, string more)
    {
        var cluster = JsonNode.Parse(more)!.AsObject();
        cluster["LoadBalancingPolicy"] = policy;
        cluster["HealthCheck"] ??= JsonNode.Parse("""{ "Passive": { "Enabled": true } }""");
        cluster["Destinations"] = new JsonObject(weights.Split(' ').Select(each => each.Split('=')).Select(pair => KeyValuePair.Create<string, JsonNode?>(
            pair[0], new JsonObject { ["Address"] = _services[pair[0]].Url, ["Metadata"] = new JsonObject { ["Weight"] = pair[1] } })));
        settings.WithoutRedis()
            .Set("ReverseProxy:Clusters:weighted", JsonSerializer.Serialize(cluster))
            .Set("Authorization:Policies:Operators", """{ "Roles": ["platform-operator"] }""").Set("Management:AuthorizationPolicy", "\"Operators\"")
            .Route("weighted", "/weighted/{**rest}", """{ "ClusterId": "weighted", "Metadata": { "Retries": "1" } }""")
            .Route("open", "/open/{**rest}", """{ "ClusterId": "weighted", "AuthorizationPolicy": "Anonymous" }""");
    }
}
