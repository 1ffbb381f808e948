using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Redis as operators secure it: TLS by an authority of their own, and a user with the rights that the documentation names and no others, in a cluster as well.
/// </summary>
[Trait("Category", "Redis")]
public sealed class RedisRightsTests : IDisposable
{
    private const string Password = "a-password-that-no-log-shows";

    private readonly PrivateAuthority _authority = new();

    public void Dispose() => _authority.Dispose();

    // Garnet has neither, and is used as it is.
    public static TheoryData<string> Ways => RedisServer.IsReal
        ? ["TLS and a user", "TLS and a user, behind a name that the certificate has not", RedisTopology.TlsCluster]
        : ["Garnet"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task With_the_rights_that_are_documented_replicas_share_forget_and_count_together(string way)
    {
        await using var world = await World.StartAsync();
        await using var cluster = way == RedisTopology.TlsCluster ? await RedisTopology.StartAsync(way) : null;
        await using var server = cluster is null ? await StartAsync() : null;
        var servers = cluster?.Servers ?? [server!];
        var page = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "docs", "redis.md"));
        if (RedisServer.IsReal)
            foreach (var rights in SharedRedis.RightsOf(page, world.KeyPrefix, Password)) await Task.WhenAll(servers.Select(node => node.ExecuteAsync(rights)));
        var connection = !RedisServer.IsReal ? server!.ConnectionString
            : $"{cluster?.ConnectionString ?? $"127.0.0.1:{server!.TlsPort},ssl=true"},user=gateway,password={Password}"
                + $"{(way.Contains("name", StringComparison.Ordinal) ? ",sslHost=redis.internal" : "")}";
        var environment = cluster?.Environment ?? _authority.Environment;
        var gateways = new List<GatewayProcess>();
        for (var i = 0; i < 2; i++) gateways.Add(await StartAsync(world, connection, environment));

        var vended = await SharedRedis.VendAsync(world, gateways[0], "o-acme");
        var shared = await SharedRedis.VendAsync(world, gateways[1], "o-acme");
        Assert.True(vended.AccessKeyId == shared.AccessKeyId, $"{await DeniedAsync()}\n{gateways[0].Output}");
        var operators = world.Issuer.Issue(new TokenRequest { Roles = ["platform-operator"] });
        var forgotten = await world.Client.SendAsync($"{gateways[0].ManagementUrl}/organizations/o-acme/credentials", operators, "DELETE");
        Assert.True(forgotten.Status == 204, gateways[0].Output);
        await Eventually.IsTrueAsync(async () => (await SharedRedis.VendAsync(world, gateways[1], "o-acme")).AccessKeyId != vended.AccessKeyId);
        // Of three permits each replica takes one, and the other the rest.
        var statuses = new List<int>();
        for (var i = 0; i < 5; i++)
            statuses.Add((await world.Client.SendAsync(gateways[i % 2].Url + "/organizations/o-acme/devices", world.Token("o-acme"))).Status);

        Assert.True(statuses is [200, 200, 200, 429, 429], $"{string.Join(' ', statuses)}\n{await DeniedAsync()}");
        var denied = await DeniedAsync();
        Assert.True(denied.Length == 0, denied);
        foreach (var gateway in gateways)
        {
            Assert.True(
                !gateway.Output.Contains("warn:", StringComparison.Ordinal) && !gateway.Output.Contains("fail:", StringComparison.Ordinal), gateway.Output);
            Assert.DoesNotContain(Password, gateway.Output, StringComparison.Ordinal);
        }

        async Task<string> DeniedAsync() =>
            RedisServer.IsReal ? string.Concat(await Task.WhenAll(servers.Select(node => node.ExecuteAsync("ACL", "LOG")))) : "";
    }

    private async Task<RedisServer> StartAsync() =>
        RedisServer.IsReal ? await RedisServer.StartTlsAsync(_authority.RedisOptions("redis.internal", "127.0.0.1")) : await RedisServer.StartAsync();

    private static Task<GatewayProcess> StartAsync(
        World world, string connection, IReadOnlyDictionary<string, string> environment) => world.StartGatewayProcessAsync(
        settings =>
        {
            settings["ConnectionStrings"]!["Redis"] = connection;
            settings["Authorization"]!["Policies"]!["Operators"] = new JsonObject { ["Roles"] = new JsonArray("platform-operator") };
            settings["Management"]!["AuthorizationPolicy"] = "Operators";
            settings["RateLimiting"] = JsonNode.Parse("""
                { "Policies": {
                  "Three": { "Algorithm": "FixedWindow", "PartitionBy": "Organization", "PermitLimit": 3, "Window": "01:00:00", "Store": "Redis" } } }
                """);
            settings["ReverseProxy"]!["Routes"]!["organizations"]!["RateLimiterPolicy"] = "Three";
        },
        environment);
}
