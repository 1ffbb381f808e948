using System.Diagnostics;
using System.Text.Json.Nodes;
using Gateway.Configuration;
using Gateway.RateLimiting;
using Gateway.Tests.Telemetry;
using Microsoft.Extensions.Logging;
using Sandbox;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace Gateway.Tests.RateLimiting;

/// <summary>Limits with Store Redis hold over all replicas, and over each of them while there is no Redis.</summary>
[Trait("Category", "Redis")]
public sealed class RedisRateLimiterTests(ITestOutputHelper output)
{
    private const string Apart = "Redis does not respond: this replica counts";
    private const string Denied = "it does not permit the gateway's user the keys rl:* or a command of the limits (NOPERM)";
    private const string Together = "counted over all replicas again";

    public static TheoryData<string> Windows => ["FixedWindow", "SlidingWindow", "TokenBucket"];

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task Two_replicas_together_let_through_the_limit_and_no_more(string algorithm)
    {
        await using var world = await World.StartAsync();
        var (first, second) = await StartTwoAsync(world, Limit(algorithm, 100));
        var token = world.Token();

        var answers = new List<Response>();
        foreach (var some in Enumerable.Range(0, 200).Chunk(20))
            answers.AddRange(await Task.WhenAll(some.Select(i => (i % 2 == 0 ? first : second).SendAsync("/limited/1", token))));

        Assert.Equal(100, answers.Count(answer => answer.Status == 200));
        foreach (var refused in answers.Where(answer => answer.Status != 200))
        {
            ErrorResponseAssert.Matches(429, "TooManyRequests", refused);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 3630);
        }
    }

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task After_the_time_to_wait_replicas_let_through_again(string algorithm)
    {
        await using var world = await World.StartAsync();
        var (first, second) = await StartTwoAsync(world, Limit(algorithm, 2, "00:00:05"));
        var (token, refused) = ("", (Response?)null);
        // A slow machine can ask the second replica when the window is over. Each try is another caller's.
        await Eventually.IsTrueAsync(async () =>
        {
            token = world.Issuer.Issue(new TokenRequest { Subject = $"{Guid.NewGuid():N}" });
            while ((await first.SendAsync("/limited/1", token)).Status == 200) { }
            refused = await second.SendAsync("/limited/1", token);
            return refused.Status == 429;
        });
        await Eventually.IsTrueAsync(async () => (await second.SendAsync("/limited/1", token)).Status != 429);

        Assert.InRange(refused!.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 7);
    }

    [Fact]
    public async Task Requests_in_flight_count_over_both_replicas_until_they_end()
    {
        await using var world = await World.StartAsync();
        var (first, second) = await StartTwoAsync(
            world, """{ "Algorithm": "Concurrency", "PartitionBy": "Organization", "PermitLimit": 1, "Store": "Redis" }""");
        var hang = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", call => call.AssumeRole?.RoleSessionName == "o-busy");
        var busy = first.VendAsync("o-busy");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-busy", cancellationToken: TestContext.Current.CancellationToken);

        var refused = await second.VendAsync("o-busy");
        var other = await second.VendAsync("o-idle");
        hang.Dispose();

        ErrorResponseAssert.Matches(429, "TooManyRequests", refused);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 3);
        Assert.Equal(200, other.Status);
        Assert.Equal(200, (await busy).Status);
        await Eventually.IsTrueAsync(async () => (await second.VendAsync("o-busy")).Status == 200);
    }

    [Fact]
    public async Task Redis_learns_the_limits_name_and_not_who_calls_and_forgets_by_itself()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayAsync(settings => Add(settings, Limit("TokenBucket", 5)));
        await gateway.SendAsync("/limited/1", world.Issuer.Issue(new TokenRequest { Subject = "alice" }));

        await foreach (var (name, life) in Keys(world))
        {
            Assert.Matches($"{world.KeyPrefix}limit:Shared:[0-9a-f]{{64}}", name);
            Assert.DoesNotContain("alice", name, StringComparison.Ordinal);
            Assert.InRange(life!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1));
        }
    }

    [Fact]
    public async Task Replicas_with_another_limit_have_another_count()
    {
        await using var world = await World.StartAsync();
        var before = await world.StartGatewayAsync(settings => Add(settings, Limit("FixedWindow", 1)));
        var after = await world.StartGatewayAsync(settings => Add(settings, Limit("FixedWindow", 2)));
        var token = world.Token();

        await AnswersAsync(before, token, 200, 429);
        await AnswersAsync(after, token, 200, 200, 429);
    }

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task Without_Redis_each_replica_counts_for_itself_and_with_it_they_count_together_again(string algorithm)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var (first, second) = await StartTwoAsync(world, Limit(algorithm, 3));
        var gateways = (RunningGateway[])[first, second];
        Assert.All(
            await Task.WhenAll(gateways.Select(gateway => gateway.SendAsync("/limited/1", Of(world, "warm")))), answer => Assert.Equal(200, answer.Status));

        var machine = await Machine.MeasureAsync(i => first.SendAsync("/limited/1", Of(world, $"measured-{i}")), output.WriteLine);
        await world.Redis.KillAsync();
        foreach (var gateway in gateways)
        {
            var begun = Stopwatch.StartNew();
            await AnswersAsync(gateway, Of(world, "alice"), 200, 200, 200, 429, 429);
            Assert.InRange(begun.Elapsed, TimeSpan.Zero, machine.Within(TimeSpan.FromSeconds(5)));
            Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, Apart));
            Assert.True((await Scrape.ReadAsync(world, gateway)).Sum("gateway_rate_limit_fallbacks_total") > 0);
        }

        await world.Redis.RestartAsync();
        foreach (var gateway in gateways)
        {
            await Eventually.IsTrueAsync(async () =>
            {
                Assert.True((await gateway.SendAsync("/limited/1", Of(world, "carol"))).Status is 200 or 429);
                return gateway.Log.Count(LogLevel.Information, Together) == 1;
            });
        }

        await AnswersAsync(first, Of(world, "bob"), 200, 200);
        await AnswersAsync(second, Of(world, "bob"), 200, 429);
        Assert.All(gateways, gateway => Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, Apart)));
    }

    [Fact]
    public async Task Callers_do_not_wait_for_a_Redis_that_has_fallen_silent_one_after_another()
    {
        await using var world = await World.StartAsync(pausableRedis: true);
        var gateway = await world.StartGatewayAsync(settings => Add(settings, Limit("TokenBucket", 1000)));
        var token = world.Token();
        await AnswersAsync(gateway, token, 200);
        var machine = await Machine.MeasureAsync(() => AnswersAsync(gateway, token, [.. Enumerable.Repeat(200, 100)]), output.WriteLine);

        world.Redis.Pause();
        // A late reply can be this process's own fault, above all on a loaded machine: a few requests may pass before Redis is given up.
        await Eventually.IsTrueAsync(async () =>
        {
            await AnswersAsync(gateway, token, 200);
            return gateway.Log.Count(LogLevel.Warning, Apart) >= 1;
        });
        var begun = Stopwatch.StartNew();
        for (var i = 0; i < 50; i++) await AnswersAsync(gateway, token, 200, 200);
        Assert.InRange(begun.Elapsed, TimeSpan.Zero, machine.Within(TimeSpan.FromSeconds(5)));

        world.Redis.Resume();
        await Eventually.IsTrueAsync(async () =>
        {
            await gateway.SendAsync("/limited/1", token);
            return gateway.Log.Count(LogLevel.Information, Together) >= 1;
        });
    }

    [Fact]
    public async Task A_request_in_flight_ends_well_when_Redis_dies_meanwhile()
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var gateway = await world.StartGatewayAsync(settings =>
            Add(settings, """{ "Algorithm": "Concurrency", "PartitionBy": "Organization", "PermitLimit": 1, "Store": "Redis" }"""));
        var hang = world.Aws.Inject(AwsFault.Hang(), "AssumeRole", call => call.AssumeRole?.RoleSessionName == "o-busy");
        var busy = gateway.VendAsync("o-busy");
        await world.Aws.Calls.WaitForAsync(call => call.AssumeRole?.RoleSessionName == "o-busy", cancellationToken: TestContext.Current.CancellationToken);

        await world.Redis.KillAsync();
        hang.Dispose();

        Assert.Equal(200, (await busy).Status);
        for (var i = 0; i < 2; i++) await IsServedAsync("o-busy");
        await world.Redis.RestartAsync();
        await Eventually.IsTrueAsync(async () =>
        {
            await IsServedAsync("o-idle");
            return gateway.Log.Count(LogLevel.Information, Together) == 1;
        });

        // A request gives its permit back after its response was read: the next may still find it taken.
        Task IsServedAsync(string organization) => Eventually.IsTrueAsync(async () =>
        {
            var status = (await gateway.VendAsync(organization)).Status;
            Assert.True(status is 200 or 429, $"{status}");
            return status == 200;
        });
    }

    public static TheoryData<string, Exception> Failures => new()
    {
        { "a command that is denied", new RedisException("NOPERM this user has no permissions to run the 'zrange' command") },
        { "a connection that broke", new RedisCommandException("no connection is active") },
        { "a time-out", new TimeoutException() },
        { "a command that is given up", new TaskCanceledException() },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public async Task A_request_that_Redis_refused_stays_refused_though_its_wait_cannot_be_read(string name, Exception failure)
    {
        await using var world = await World.StartAsync();
        await using var redis = await world.Redis.ConnectAsync();
        var options = new RateLimitPolicyOptions { Algorithm = RateLimitAlgorithm.SlidingWindow, PermitLimit = 1, Window = TimeSpan.FromHours(1) };
        await using var limit = new RedisRateLimiter(null!, new LimitKey("Shared", options, name), world.KeyPrefix);
        var broken = RefusingRedis.Of(redis, nameof(IDatabase.SortedSetRangeByRankWithScoresAsync), failure);
        Assert.True((await limit.TakeAsync(broken)).IsAcquired);

        var refused = await limit.TakeAsync(broken);

        Assert.False(refused.IsAcquired);
        Assert.Null(Assert.IsType<CountedLease>(refused, exactMatch: false).More);
    }

    public static TheoryData<string, string, string?> Denials => new()
    {
        { "NOPERM No permissions to access a key", "GET", "it does not permit the gateway's user the keys rl:* or a command of the limits (NOPERM): GET: run" },
        {
            "ERR The user executing the script can't run this command or subcommand script: 5b914, on @user_script:1.", "GET",
            "it does not permit the gateway's user the keys rl:* or a command of the limits (NOPERM): GET: run"
        },
        {
            "ERR ACL failure in script: User gateway has no permissions to run the 'get' command script: 5b914, on @user_script:1.", "GET",
            "it does not permit the gateway's user the keys rl:* or a command of the limits (NOPERM): GET: run"
        },
        { "ERR Unknown Redis command called from script script: 5b914, on @user_script:1.", "GET", "it does not have a command of the limits: GET: give" },
        { "ERR value is not an integer or out of range script: 5b914", "GET", null },
    };

    [Theory]
    [MemberData(nameof(Denials))]
    public async Task A_command_of_the_limits_that_Redis_does_not_run_is_found(string error, string command, string? problem)
    {
        await using var world = await World.StartAsync();
        await using var redis = await world.Redis.ConnectAsync();
        var refusing = RefusingRedis.Of(
            redis, nameof(IDatabase.ScriptEvaluateAsync), new RedisServerException(RedisErrorKind.NoPermission, CommandFlags.None, error));

        var found = await RedisRateLimiterFallback.FindProblemAsync(refusing, [RateLimitAlgorithm.FixedWindow]);

        if (problem is null) Assert.Null(found);
        else Assert.StartsWith(problem, found, StringComparison.Ordinal);
        Assert.True(problem is null || problem.Contains(command, StringComparison.Ordinal));
    }

    // Garnet has no users of its own.
    public static TheoryData<string> Rights => RedisServer.IsReal
        ? ["incrby", "hincrby", "mget", "expireat", "pexpireat", "zadd", "zcard", "zrem", "zrange", "zremrangebyscore", ""]
        : [""];

    [Theory]
    [MemberData(nameof(Rights))]
    public async Task Each_right_of_the_limits_that_is_missing_is_found(string missing)
    {
        await using var server = await RedisServer.StartAsync();
        var options = server.ConnectionString;
        if (missing.Length > 0)
        {
            await server.ExecuteAsync("ACL", "SETUSER", "gateway", "on", ">first", "~*", "&*", "+@all", $"-{missing}");
            options += ",user=gateway,password=first";
        }

        await using var redis = await ConnectionMultiplexer.ConnectAsync(options);
        var found = await RedisRateLimiterFallback.FindProblemAsync(redis, Enum.GetValues<RateLimitAlgorithm>());

        if (missing.Length == 0) Assert.Null(found);
        else Assert.Contains($"(NOPERM): {missing.ToUpperInvariant()}: run the second ACL SETUSER", found, StringComparison.Ordinal);
    }

    // Garnet has no users of its own.
    public static TheoryData<string, string> Losses => RedisServer.IsReal
        ? new()
        {
            { "killed", Apart },
            { "keys not granted", $"Redis takes no counts: {Denied}: this replica counts" },
            { "commands not granted", $"Redis takes no counts: {Denied}: this replica counts" },
            { "full", "Redis takes no counts: it responds with the error OOM: this replica counts" },
            { "read-only", "Redis takes no counts: it responds with the error READONLY: this replica counts" },
        }
        : new() { { "killed", Apart } };

    [Theory]
    [MemberData(nameof(Losses))]
    public async Task The_log_says_why_a_replica_counts_for_itself(string loss, string line)
    {
        await using var world = await World.StartAsync(ownRedis: true);
        var connection = world.Redis.ConnectionString;
        // A script that first removes entries may go on writing in a full Redis.
        var algorithm = loss == "full" ? "FixedWindow" : "SlidingWindow";
        if (RedisServer.IsReal)
        {
            await using var admin = await ConnectionMultiplexer.ConnectAsync(connection + ",allowAdmin=true");
            await admin.GetServers()[0].ExecuteAsync("ACL", "SETUSER", "gateway", "on", ">first",
                $"~{world.KeyPrefix}*", loss == "keys not granted" ? "resetchannels" : "~rl:*", "&*",
                "+@read", "+@write", "+@transaction", "+@scripting", "+@pubsub", "+@connection", "+info", "+config|get", "+cluster", "+time", "+echo",
                loss == "commands not granted" ? "-zremrangebyscore" : "+echo");
            connection += ",user=gateway,password=first";
        }

        var gateway = await world.StartGatewayAsync(settings =>
        {
            settings.Set("ConnectionStrings:Redis", $"\"{connection}\"");
            Add(settings, Limit(algorithm, 1000));
        });
        if (!loss.EndsWith("not granted", StringComparison.Ordinal))
        {
            await AnswersAsync(gateway, world.Token(), 200);
            Assert.Equal(0, gateway.Log.Count(LogLevel.Warning, "this replica counts"));
            await using var admin = await ConnectionMultiplexer.ConnectAsync(world.Redis.ConnectionString + ",allowAdmin=true");
            if (loss == "full") await admin.GetServers()[0].ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
            else if (loss == "read-only") await admin.GetServers()[0].ExecuteAsync("REPLICAOF", "127.0.0.1", "1");
            else await world.Redis.KillAsync();
        }

        await AnswersAsync(gateway, world.Token(), 200, 200, 200);

        await gateway.Log.WaitForAsync(LogLevel.Warning, line);
        Assert.DoesNotContain("password=", gateway.Log.Text, StringComparison.Ordinal);
        if (!loss.EndsWith("not granted", StringComparison.Ordinal)) return;
        using var folder = world.Folder(settings =>
        {
            settings.Set("ConnectionStrings:Redis", $"\"{connection}\"");
            Add(settings, Limit(algorithm, 1000));
        });
        var (_, output) = await GatewayProcess.RunAsync(["doctor", "--config", folder.Path], world.Aws.EnvironmentVariables);
        Assert.True(
            output.Contains($"{Denied}: ZREMRANGEBYSCORE: run the second ACL SETUSER of docs/redis.md", StringComparison.Ordinal), output);
    }

    private static string Limit(string algorithm, int limit, string window = "01:00:00") =>
        $$"""{ "Algorithm": "{{algorithm}}", "PartitionBy": "Subject", "PermitLimit": {{limit}}, "Window": "{{window}}", "Store": "Redis" }""";

    private static void Add(JsonObject settings, string limit) => settings
        .Set("RateLimiting:Policies:Shared", limit)
        .Route("limited", "/limited/{**rest}", """{ "RateLimiterPolicy": "Shared" }""")
        .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:RateLimiterPolicy", "\"Shared\"");

    private static async Task<(RunningGateway First, RunningGateway Second)> StartTwoAsync(World world, string limit) =>
        (await world.StartGatewayAsync(settings => Add(settings, limit)), await world.StartGatewayAsync(settings => Add(settings, limit)));

    private static string Of(World world, string subject) => world.Issuer.Issue(new TokenRequest { Subject = subject });

    private static async Task AnswersAsync(RunningGateway gateway, string token, params int[] expected)
    {
        var statuses = new int[expected.Length];
        for (var i = 0; i < statuses.Length; i++) statuses[i] = (await gateway.SendAsync("/limited/1", token)).Status;
        Assert.Equal(expected, statuses);
    }

    private static async IAsyncEnumerable<(string Name, TimeSpan? Life)> Keys(World world)
    {
        await using var redis = await world.Redis.ConnectAsync();
        await foreach (var key in redis.GetServers()[0].KeysAsync(pattern: $"*{world.KeyPrefix}limit:*"))
            yield return (key!, await redis.GetDatabase().KeyTimeToLiveAsync(key));
    }
}
