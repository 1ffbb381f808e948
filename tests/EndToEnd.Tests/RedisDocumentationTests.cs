using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>
/// Every connection string of docs/redis.md connects two gateways to a server of its kind: nothing in it is replaced but hosts, ports and passwords. Managed
/// services and Valkey are stood for by redis-server, set up in the same way. <c>TEST_REDIS_SERVER</c> may name a <c>valkey-server</c>: it takes the same
/// options.
/// </summary>
[Trait("Category", "Redis")]
public sealed partial class RedisDocumentationTests
{
    private const string Password = "a-password-that-no-log-shows";
    private const string SentinelPassword = "another-password-that-no-log-shows";

    private static readonly string s_page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "redis.md"));

    private static readonly Dictionary<string, Target> s_targets = new()
    {
        ["One server"] = new(RedisTopology.OneServer, Login.Password),
        ["A user with the rights it needs"] = new(RedisTopology.OneServer, Login.User),
        ["TLS"] = new(RedisTopology.TlsServer, Login.User),
        ["IPv6"] = new(RedisTopology.OneServer, Login.Password),
        ["Cluster"] = new(RedisTopology.Cluster, Login.User),
        ["Cluster with TLS"] = new(RedisTopology.TlsCluster, Login.User),
        ["Sentinel"] = new(RedisTopology.Sentinel, Login.User),
        ["Sentinel without a password"] = new(RedisTopology.Sentinel, Login.User),
        ["ElastiCache, cluster mode disabled"] = new(RedisTopology.TlsServer, Login.User),
        ["ElastiCache, cluster mode enabled"] = new(RedisTopology.TlsCluster, Login.User),
        // The client speaks RESP3 to hosts of this service.
        ["Azure Managed Redis"] = new(RedisTopology.TlsCluster, Login.Password, ",protocol=resp3"),
        ["Azure Cache for Redis"] = new(RedisTopology.TlsServer, Login.Password),
        ["Valkey"] = new(RedisTopology.OneServer, Login.User),
        ["Garnet"] = new(RedisTopology.Garnet, Login.None),
    };

    /// <summary>How the gateway logs in.</summary>
    public enum Login
    {
        None,
        Password,
        User,
    }

    // Garnet, where no redis-server is, has neither users nor TLS.
    public static TheoryData<string> Kinds => RedisServer.IsReal ? [.. Documented().Keys] : ["Garnet"];

    [Fact]
    public void Each_connection_string_of_the_page_is_run() =>
        Assert.Equal(s_targets.Keys.Order(StringComparer.Ordinal), Documented().Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Two_gateways_share_through_a_connection_string_of_the_page(string kind)
    {
        var target = s_targets[kind];
        await using var world = await World.StartAsync();
        await using var redis = await RedisTopology.StartAsync(target.Topology);
        await ProtectAsync(redis, target.Login, world.KeyPrefix);
        if (kind == "Sentinel") await ProtectSentinelsAsync(redis);
        var endPoints = kind == "IPv6" ? [$"[::1]:{redis.Servers[0].Port}"] : redis.EndPoints;

        await SharedRedis.AssertAsync(world, Replace(Documented()[kind], endPoints) + target.Appended, redis.Environment, [Password, SentinelPassword]);
    }

    /// <summary>The first line of the first block under each heading of "Connection strings".</summary>
    private static Dictionary<string, string> Documented() =>
        Example().Matches(s_page).ToDictionary(example => example.Groups["kind"].Value, example => example.Groups["text"].Value);

    private static string Replace(string documented, IReadOnlyList<string> endPoints)
    {
        var next = 0;
        return string.Join(',', documented.Split(',').Select(part => part.Split('=') switch
        {
            [_] => endPoints[next++],
            ["password", _] => $"password={Password}",
            ["sentinelPassword", { Length: > 0 }] => $"sentinelPassword={SentinelPassword}",
            _ => part,
        }));
    }

    private static async Task ProtectAsync(RedisTopology redis, Login login, string keyPrefix)
    {
        foreach (var server in redis.Servers)
        {
            if (login == Login.User)
                foreach (var rights in SharedRedis.RightsOf(s_page, keyPrefix, Password)) await server.ExecuteAsync(rights);
            else if (login == Login.Password)
            {
                await server.ExecuteAsync("CONFIG", "SET", "masterauth", Password);
                await server.ExecuteAsync("CONFIG", "SET", "requirepass", Password);
            }
        }
    }

    private static async Task ProtectSentinelsAsync(RedisTopology redis)
    {
        foreach (var sentinel in redis.Sentinels) await sentinel.ExecuteAsync("SENTINEL", "CONFIG", "SET", "sentinel-pass", SentinelPassword);
        foreach (var sentinel in redis.Sentinels) await sentinel.ExecuteAsync("ACL", "SETUSER", "default", "resetpass", $">{SentinelPassword}");
    }

    [GeneratedRegex(@"^### (?<kind>[^\n]+)\n(?:(?!#|```)[^\n]*\n)*```text\n(?<text>[^\n]*[\w\]]:\d+[^\n]*)\n```", RegexOptions.Multiline)]
    private static partial Regex Example();

    private sealed record Target(string Topology, Login Login, string Appended = "");
}
