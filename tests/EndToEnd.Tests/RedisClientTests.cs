using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>Servers with which clients of Redis are known to fail: replicas share through them, or the log says which node is the matter.</summary>
[Trait("Category", "Redis")]
public sealed class RedisClientTests
{
    // Garnet has neither users nor TLS, and is one server.
    public static TheoryData<string, string> Servers => RedisServer.IsReal
        ?
        [
            ("a user without a password", RedisTopology.OneServer),
            ("a database other than the first", RedisTopology.OneServer),
            ("nodes that announce IPv6 addresses", RedisTopology.Ipv6Cluster),
            ("nodes that announce a name, and a certificate without their addresses", RedisTopology.TlsCluster),
        ]
        : [("plain", RedisTopology.Garnet)];

    [Theory]
    [MemberData(nameof(Servers))]
    public async Task Replicas_share_through_a_server_with(string server, string topology)
    {
        await using var world = await World.StartAsync();
        await using var redis = await RedisTopology.StartAsync(topology);
        var options = server switch
        {
            "a user without a password" => ",user=gateway",
            "a database other than the first" => ",defaultDatabase=3",
            // The hosts differ, so no name can be inferred for the nodes' addresses.
            "nodes that announce a name, and a certificate without their addresses" => ",redis.invalid:6379",
            _ => "",
        };
        foreach (var node in redis.Servers)
        {
            if (options == ",user=gateway")
            {
                await node.ExecuteAsync("ACL", "SETUSER", "gateway", "on", "nopass", "~*", "&*", "+@all");
                await node.ExecuteAsync("CONFIG", "SET", "requirepass", "of-the-default-user");
            }
            else if (topology == RedisTopology.TlsCluster)
            {
                await node.ExecuteAsync("CONFIG", "SET", "cluster-announce-hostname", "localhost");
                await node.ExecuteAsync("CONFIG", "SET", "cluster-preferred-endpoint-type", "hostname");
            }
        }

        var gateways = await SharedRedis.AssertAsync(world, redis.ConnectionString + options, redis.Environment);

        // The loss of a connection makes the gateway examine every node.
        foreach (var node in redis.Servers.Where(_ => options != ",user=gateway" && topology != RedisTopology.Garnet))
            await node.ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        for (var i = 0; i < 20; i++) await SharedRedis.VendAsync(world, gateways[0], $"o-new{i}");
        await Eventually.IsTrueAsync(
            async () => await SharedRedis.ReadinessAsync(world, gateways[0].ManagementUrl) == "Healthy", () => SharedRedis.Output(gateways));
    }

    public static TheoryData<string, string> UnreachableNodes => RedisServer.IsReal
        ? new()
        {
            { "closed", "the connection is refused" },
            { "silent", "it takes connections and does not respond" },
            { "elsewhere", "it cannot be reached" },
        }
        : new() { { "stopped", "the connection is refused" } };

    [Theory]
    [MemberData(nameof(UnreachableNodes))]
    public async Task Nodes_that_announce_what_cannot_be_reached_are_told_by_name_and_callers_are_served(string announced, string cause)
    {
        await using var world = await World.StartAsync();
        await using var redis = await RedisTopology.StartAsync(RedisServer.IsReal ? RedisTopology.Cluster : RedisTopology.OneServer);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var node = announced switch
        {
            "closed" => $"127.0.0.1:{FreePort.Find()}",
            "silent" => silent.LocalEndpoint.ToString()!,
            // TEST-NET-1 of RFC 5737. Some virtual machines have their router at its first address.
            "elsewhere" => $"192.0.2.254:{FreePort.Find()}",
            _ => redis.EndPoints[0],
        };
        if (announced == "stopped") await redis.Servers[0].KillAsync();
        else
        {
            foreach (var server in redis.Servers)
            {
                // The nodes themselves cannot reach each other there either. They must not notice.
                await server.ExecuteAsync("CONFIG", "SET", "cluster-node-timeout", "600000");
                await server.ExecuteAsync("CONFIG", "SET", "cluster-announce-ip", node.Split(':')[0]);
                await server.ExecuteAsync("CONFIG", "SET", "cluster-announce-port", node.Split(':')[1]);
            }
        }

        var gateway = await world.StartGatewayProcessAsync(settings => settings["ConnectionStrings"]!["Redis"] = redis.EndPoints[0]);
        var waited = new List<TimeSpan>();
        await Eventually.IsTrueAsync(
            async () =>
            {
                await VendAsync();
                return gateway.Output.Contains($"Redis at {node} cannot be used: {cause}", StringComparison.Ordinal);
            },
            () => gateway.Output);

        // Two commands may wait, each up to a fifth of Timeout. Then no caller waits for 2 s.
        var machine = await Machine.MeasureAsync(
            () => world.Client.SendAsync(gateway.ManagementUrl + "/health/ready"), TestContext.Current.TestOutputHelper!.WriteLine);
        waited.Clear();
        for (var i = 0; i < 50; i++) await VendAsync();
        Assert.InRange(waited.Count(time => time > machine.Within(TimeSpan.FromSeconds(1))), 0, 10);

        async Task VendAsync()
        {
            var begun = Stopwatch.GetTimestamp();
            var response = await SharedRedis.VendAsync(world, gateway, $"o-{Guid.NewGuid():N}");
            waited.Add(Stopwatch.GetElapsedTime(begun));
            Assert.Equal(200, response.Status);
        }
    }
}
