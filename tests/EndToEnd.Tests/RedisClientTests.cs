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
}
