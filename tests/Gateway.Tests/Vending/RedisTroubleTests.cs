using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Gateway.Tests.Commands;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
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
            { "F8 paused", "it takes connections and does not respond" },
            { "F8 password rotated", "it refuses the user or the password (WRONGPASS)" },
            { "F8 a command forbidden", "it does not permit the gateway's user the command SET (NOPERM)" },
            { "the command that reads invalidations forbidden", "it does not permit the gateway's user the command HGETALL (NOPERM)" },
            { "D5 read-only", "it is a read-only replica (READONLY)" },
            { "D5 full", "it is full (OOM)" },
            { "D5 not written to disk", "it takes no writes because it cannot save to disk (MISCONF)" },
            { "D5 some keys forbidden", "it does not permit the gateway's user the command SET (NOPERM)" },
        }
        : new() { { "F8 killed", "the connection is refused" }, { "F8 paused", "it takes connections and does not respond" } };

    [Theory]
    [MemberData(nameof(Troubles))]
    public async Task Trouble_is_one_line_with_its_cause_and_recovery_is_one_line(string name, string cause)
    {
        await using var world = await World.StartAsync(pausableRedis: true);
        var user = RedisServer.IsReal ? ",user=gateway,password=first" : "";
        if (RedisServer.IsReal) await ExecuteAsync(world, "ACL SETUSER gateway on >first ~* &* +@all");
        var gateway = await world.StartGatewayAsync(settings => settings
            .Set("IotCredentials:Timeout", "\"00:01:00\"")
            .Set("ConnectionStrings:Redis", $"\"{world.Redis.ConnectionString}{user}\""));
        Assert.Equal(200, (await gateway.VendAsync("o-warm")).Status);
        if (RedisServer.IsReal) await Eventually.IsTrueAsync(() => IsExaminedAsync(world));

        await HarmAsync(world, name);
        var line = $"Redis at {world.Redis.ConnectionString} cannot be used: {cause}. Credentials are not shared between replicas until it works again";
        var asked = 0;
        await Eventually.IsTrueAsync(
            async () =>
            {
                await gateway.VendAsync($"o-cold{asked++}");
                return gateway.Log.Count(LogLevel.Warning, line) > 0;
            },
            () => gateway.Log.Text);

        Assert.Equal(("Degraded", $"{world.Redis.ConnectionString}: {cause}"), await ReadinessAsync(world, gateway));
        await Eventually.IsTrueAsync(
            async () => (await MetricsAsync(world, gateway)) is var metrics && Usable(0).IsMatch(metrics) && Failures().IsMatch(metrics));

        await MendAsync(world, name);
        // Nobody asks for anything: recovery is found all the same.
        await gateway.Log.WaitForAsync(LogLevel.Information, $"Redis at {world.Redis.ConnectionString} works again, after ");

        Assert.Equal(("Healthy", null), await ReadinessAsync(world, gateway));
        await Eventually.IsTrueAsync(async () => Usable(1).IsMatch(await MetricsAsync(world, gateway)));
        Assert.True(gateway.Log.Count(LogLevel.Warning, "cannot be used: ") == 1, gateway.Log.Text);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, "works again"));
        Assert.DoesNotContain("password=", gateway.Log.Text, StringComparison.Ordinal);
    }

    // Garnet has neither users nor renamed commands.
    public static TheoryData<string, string, string, string> Unusable
    {
        get
        {
            TheoryData<string, string, string, string> rows = new()
            {
                { "scripts that the client may not send", "", ",$EVAL=,$EVALSHA=", "the client does not connect, though Redis responds" },
                { "a database that it has not", "", ",defaultDatabase=99", "it has no database 99" },
            };
            if (!RedisServer.IsReal) return rows;
            rows.Add("a renamed command", "--rename-command HGETALL OTHER", "", "it does not have the command HGETALL");
            rows.Add("another renamed command", "--rename-command UNLINK OTHER", "", "it does not have the command UNLINK");
            rows.Add("a wrong password, where the default user has none", "", ",user=gateway,password=old", "it refuses the user or the password (WRONGPASS)");
            return rows;
        }
    }

    [Theory]
    [MemberData(nameof(Unusable))]
    public async Task A_Redis_that_the_client_connects_to_and_cannot_use_is_told_at_the_start(string name, string server, string options, string cause)
    {
        await using var world = await World.StartAsync();
        await using var redis = await RedisServer.StartAsync(server.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        if (options.Contains("user", StringComparison.Ordinal)) await redis.ExecuteAsync("ACL", "SETUSER", "gateway", "on", ">new", "~*", "&*", "+@all");

        var gateway = await world.StartGatewayAsync(settings => settings.Set("ConnectionStrings:Redis", $"\"{redis.ConnectionString}{options}\""));
        await gateway.Log.WaitForAsync(LogLevel.Warning, $"cannot be used: {cause}. ");

        Assert.Equal((name, "Degraded"), (name, (await ReadinessAsync(world, gateway)).Status));
        Assert.Matches(Usable(0), await MetricsAsync(world, gateway));
        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
    }

    [Fact]
    public async Task D15_a_Redis_that_is_not_there_at_the_start_is_one_line_without_a_stack_trace()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await world.Redis.KillAsync();
        var gateway = await world.StartGatewayAsync();

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
        await gateway.Log.WaitForAsync(LogLevel.Warning, $"Redis at {world.Redis.ConnectionString} cannot be used: the connection is refused.");

        Assert.True(gateway.Log.Count(LogLevel.Warning, "") == 1 && gateway.Log.Count(LogLevel.Error, "") == 0, gateway.Log.Text);
        Assert.DoesNotContain("   at ", gateway.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task D15_replicas_that_started_without_Redis_share_once_it_is_there()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time, ownRedis: true);
        await world.Redis.KillAsync();
        var (one, two) = (await world.StartGatewayAsync(), await world.StartGatewayAsync());
        await world.Redis.RestartAsync();
        var i = 0;
        await Eventually.IsTrueAsync(async () =>
        {
            // Permits to call STS come by this clock.
            time.Advance(TimeSpan.FromSeconds(1));
            var (here, there) = (await one.VendAsync($"o-shared{i}"), await two.VendAsync($"o-shared{i++}"));
            Assert.True(here.Status == 200, one.Log.Text);
            Assert.True(there.Status == 200, two.Log.Text);
            return here.AccessKeyId == there.AccessKeyId;
        });
        await Eventually.IsTrueAsync(async () => (await MetricsAsync(world, one)).Contains("usable", StringComparison.Ordinal));

        // A renewal by one replica reaches the other's memory through Redis, without a call of its own.
        await Eventually.IsTrueAsync(async () =>
        {
            time.Advance(TimeSpan.FromMinutes(31));
            var renewed = await RenewedAsync(one);
            return renewed.AccessKeyId == (await RenewedAsync(two)).AccessKeyId;
        });

        async Task<Response> RenewedAsync(RunningGateway gateway) =>
            await LifetimeTests.UntilAsync(
                () => gateway.VendAsync("o-shared0"), answer => LifetimeTests.Expiration(answer) > time.GetUtcNow().AddMinutes(59));
    }

    [Fact]
    public async Task D15_a_start_with_Redis_warns_of_nothing()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync();

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);

        Assert.True(gateway.Log.Count(LogLevel.Warning, "") == 0 && gateway.Log.Count(LogLevel.Error, "") == 0, gateway.Log.Text);
    }

    [Theory]
    [InlineData("D9 by default", "", 3000, true)]
    [InlineData("D9 by the operator's own time", ",connectTimeout=20000", 6000, true)]
    [InlineData("D9 less than the operator's time", ",connectTimeout=500", 3000, false)]
    public async Task A_Redis_with_a_slow_handshake_is_used_if_the_connection_string_gives_it_the_time(string which, string option, int delay, bool isUsed)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        using var slow = new TcpForwarder(world.Redis.Port) { Delay = TimeSpan.FromMilliseconds(delay) };
        var gateway = await world.StartGatewayAsync(settings => settings.Set("ConnectionStrings:Redis", $"\"127.0.0.1:{slow.Port}{option}\""));
        // It is served at once, whatever Redis does.
        Assert.True((await gateway.VendAsync("o-first")).Status == 200, which);
        await using var redis = await world.Redis.ConnectAsync();
        var server = redis.GetServers()[0];

        if (isUsed)
        {
            var i = 0;
            await Eventually.IsTrueAsync(
                async () => (await gateway.VendAsync($"o-later{i++}")).Status == 200 && server.Keys(pattern: world.KeyPrefix + "v2:*").Any());
            return;
        }

        // Several tries, each of which is given up.
        await Eventually.IsTrueAsync(() => slow.Accepted > 8);
        Assert.Empty(server.Keys(pattern: world.KeyPrefix + "v2:*"));
    }

    [Fact]
    public async Task D9_options_that_have_no_effect_are_a_warning()
    {
        await using var world = await World.StartAsync();
        var folder = world.Folder(settings => settings.Set(
            "ConnectionStrings:Redis", $"\"{world.Redis.ConnectionString},syncTimeout=9000,AsyncTimeout=9000,abortConnect=true,connectTimeout=4000\""));

        var check = await CommandResult.RunAsync(["check", "--config", folder.Path]);

        foreach (var name in new[] { "syncTimeout", "AsyncTimeout", "abortConnect" })
            Assert.Contains($"has the option {name}, which has no effect here: ", check.Output + check.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("connectTimeout", check.Output + check.Error, StringComparison.Ordinal);
        Assert.Equal(0, check.ExitCode);
    }

    // Garnet has no replicas.
    public static TheoryData<string> Moves => RedisServer.IsReal ? ["D5 while nobody asks", "D5 while callers ask"] : ["D5 Garnet is killed"];

    [Theory]
    [MemberData(nameof(Moves))]
    public async Task When_the_name_of_Redis_moves_from_a_node_that_was_demoted_the_gateway_follows(string when)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        await using var promoted = await RedisServer.StartAsync();
        using var name = new TcpForwarder(world.Redis.Port);
        var gateway = await world.StartGatewayAsync(settings => settings.Set("ConnectionStrings:Redis", $"\"127.0.0.1:{name.Port}\""));
        Assert.Equal(200, (await gateway.VendAsync("o-before")).Status);
        await using var redis = await promoted.ConnectAsync();

        if (RedisServer.IsReal) await ExecuteAsync(world, $"REPLICAOF 127.0.0.1 {promoted.Port}");
        else await world.Redis.KillAsync();
        if (when.EndsWith("ask", StringComparison.Ordinal)) for (var i = 0; i < 5; i++) Assert.Equal(200, (await gateway.VendAsync($"o-between{i}")).Status);
        name.MoveTo(promoted.Port);

        var asked = 0;
        await Eventually.IsTrueAsync(
            async () =>
            {
                Assert.Equal(200, (await gateway.VendAsync($"o-after{asked++}")).Status);
                return redis.GetServers()[0].Keys(pattern: world.KeyPrefix + "v2:*").Any();
            },
            () => gateway.Log.Text);
    }

    private static async Task<(string? Status, string? Description)> ReadinessAsync(World world, RunningGateway gateway)
    {
        var answer = await world.Client.SendAsync(
            gateway.ManagementUrl + "/health/ready", change: static request => request.Headers.Accept.ParseAdd("application/json"));
        Assert.Equal(200, answer.Status);
        var check = JsonNode.Parse(answer.Body)!["checks"]!["redis"]!;
        return ((string?)check["status"], (string?)check["description"]);
    }

    private static async Task<string> MetricsAsync(World world, RunningGateway gateway) =>
        (await world.Client.SendAsync(gateway.ManagementUrl + "/metrics")).Body;

    private static Regex Usable(int value) => new($@"^iotcredentials_redis_usable(\{{[^}}]*\}})? {value}\b", RegexOptions.Multiline);

    private static Regex UnnamedClient() => new(" name= .* user=gateway ");

    private static Regex Failures() => new(@"^iotcredentials_redis_failures_total\{[^}]*cause=""[a-z_]+""[^}]*\} 1\b", RegexOptions.Multiline);

    // The examination at the start is the only one to send UNWATCH, and gives its connection no name.
    private static async Task<bool> IsExaminedAsync(World world) =>
        (await world.Redis.ExecuteAsync("INFO", "commandstats")).Contains("cmdstat_unwatch:", StringComparison.Ordinal)
        && !UnnamedClient().IsMatch(await world.Redis.ExecuteAsync("CLIENT", "LIST"));

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
            case "the command that reads invalidations forbidden":
                await ExecuteAsync(world, "ACL SETUSER gateway -hgetall");
                break;
            case "D5 some keys forbidden":
                await ExecuteAsync(world, "ACL SETUSER gateway resetkeys ~another:*");
                break;
            case "D5 full":
                await ExecuteAsync(world, "CONFIG SET maxmemory-policy noeviction", "CONFIG SET maxmemory 1");
                break;
            case "D5 not written to disk":
                await ExecuteAsync(
                    world, "CONFIG SET dir /proc", "CONFIG SET save 3600_1", "CONFIG SET stop-writes-on-bgsave-error yes", "SET a-key a-value", "BGSAVE");
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
            case "the command that reads invalidations forbidden":
                await ExecuteAsync(world, "ACL SETUSER gateway +hgetall");
                break;
            case "D5 some keys forbidden":
                await ExecuteAsync(world, "ACL SETUSER gateway ~*");
                break;
            case "D5 full":
                await ExecuteAsync(world, "CONFIG SET maxmemory 0");
                break;
            case "D5 not written to disk":
                await ExecuteAsync(world, "CONFIG SET stop-writes-on-bgsave-error no");
                break;
            default:
                await ExecuteAsync(world, "REPLICAOF NO ONE");
                break;
        }
    }

    private static async Task ExecuteAsync(World world, params string[] commands)
    {
        await using var admin = await world.Redis.ConnectAsync();
        foreach (var command in commands.Select(command => command.Split(' ').Select(word => word.Replace('_', ' ')).ToArray()))
            await admin.GetServers()[0].ExecuteAsync(command[0], [.. command[1..]]);
    }
}
