using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

/// <summary>Trouble with Redis is logged once, with its true cause, and once when it is over.</summary>
public sealed class RedisTroubleTests
{
    // Garnet has no users of its own and no replicas.
    public static TheoryData<string, string> Troubles => RedisServer.IsReal
        ? new()
        {
            { "F8 killed", "the connection is refused" },
            { "F8 paused", "it takes connections and does not answer" },
            { "F8 password rotated", "it refuses the user or the password (WRONGPASS)" },
            { "F8 a command forbidden", "it does not permit the gateway's user the command SET (NOPERM)" },
            { "F8 read-only", "it is a read-only replica (READONLY)" },
        }
        : new() { { "F8 killed", "the connection is refused" }, { "F8 paused", "it takes connections and does not answer" } };

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task Trouble_is_one_line_with_its_cause_and_recovery_is_one_line(string name, string cause)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var user = RedisServer.IsReal ? ",user=gateway,password=first" : "";
        if (RedisServer.IsReal) await ExecuteAsync(world, "ACL SETUSER gateway on >first ~* &* +@all");
        var gateway = await world.StartGatewayAsync(settings => settings
            .Set("IotCredentials:Timeout", "\"00:01:00\"")
            .Set("ConnectionStrings:Redis", $"\"{world.Redis.ConnectionString}{user}\""));
        Assert.Equal(200, (await gateway.VendAsync("o-warm")).Status);

        await HarmAsync(world, name);
        var line = $"Redis at {world.Redis.ConnectionString} cannot be used: {cause}. Credentials are not shared between replicas until it works again";
        for (var i = 0; gateway.Log.Count(LogLevel.Warning, line) == 0; i++)
        {
            await gateway.VendAsync($"o-cold{i}");
            Assert.True(i < 1000, gateway.Log.Text);
        }

        await MendAsync(world, name);
        // Nobody asks for anything: recovery is found all the same.
        await gateway.Log.WaitForAsync(LogLevel.Information, $"Redis at {world.Redis.ConnectionString} works again, after ");

        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "cannot be used: "));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, "works again"));
        Assert.DoesNotContain("password=", gateway.Log.Text, StringComparison.Ordinal);
    }

    private static async Task HarmAsync(World world, string name)
    {
        switch (name)
        {
            case "F8 killed":
                await world.Redis.KillAsync();
                break;
            case "F8 paused":
                world.Redis.Pause();
                break;
            case "F8 password rotated":
                await ExecuteAsync(world, "ACL SETUSER gateway >second <first", "CLIENT KILL USER gateway");
                break;
            case "F8 a command forbidden":
                await ExecuteAsync(world, "ACL SETUSER gateway -set");
                break;
            default:
                await ExecuteAsync(world, "REPLICAOF 127.0.0.1 1");
                break;
        }
    }

    private static async Task MendAsync(World world, string name)
    {
        switch (name)
        {
            case "F8 killed":
                await world.Redis.RestartAsync();
                if (RedisServer.IsReal) await ExecuteAsync(world, "ACL SETUSER gateway on >first ~* &* +@all");
                break;
            case "F8 paused":
                world.Redis.Resume();
                break;
            case "F8 password rotated":
                await ExecuteAsync(world, "ACL SETUSER gateway >first <second");
                break;
            case "F8 a command forbidden":
                await ExecuteAsync(world, "ACL SETUSER gateway +set");
                break;
            default:
                await ExecuteAsync(world, "REPLICAOF NO ONE");
                break;
        }
    }

    private static async Task ExecuteAsync(World world, params string[] commands)
    {
        await using var admin = await ConnectionMultiplexer.ConnectAsync(world.Redis.ConnectionString + ",allowAdmin=true");
        foreach (var command in commands.Select(command => command.Split(' '))) await admin.GetServers()[0].ExecuteAsync(command[0], [.. command[1..]]);
    }
}
