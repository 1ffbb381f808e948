using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.RateLimiting;
using Gateway.Configuration;
using Gateway.RateLimiting;
using Gateway.Tests.Telemetry;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace Gateway.Tests.RateLimiting;

/// <summary>C2: a refused caller reads in <c>RateLimit</c> when a permit is there; <c>Retry-After</c> is a little later, at random.</summary>
public sealed class RetryAfterTests
{
    private const int MostRounds = 5;

    public static TheoryData<string, int, double, double[]> Rows => new()
    {
        // Algorithm, permits, window in seconds, and when they are taken, in seconds from the first.
        { "FixedWindow", 1, 60, [0] },
        { "FixedWindow", 3, 60, [0, 20, 59] },
        { "FixedWindow", 2, 0.25, [0, 0.2] },
        { "SlidingWindow", 1, 60, [0] },
        { "SlidingWindow", 3, 60, [0, 20, 59] },
        { "SlidingWindow", 5, 7, [0, 0.1, 3, 3.5, 6.9] },
        { "SlidingWindow", 30, 3600, [.. Enumerable.Range(0, 30).Select(i => i * 100.0)] },
        { "TokenBucket", 1, 60, [0] },
        { "TokenBucket", 7, 3600, [.. Enumerable.Repeat(0.0, 7)] },
        { "TokenBucket", 50, 60, [.. Enumerable.Repeat(0.0, 50)] },
        { "TokenBucket", 13, 5, [.. Enumerable.Range(0, 13).Select(i => i * 0.2)] },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task C2_a_permit_is_there_when_the_wait_is_over_and_not_a_millisecond_before(string algorithm, int permits, double window, double[] taken)
    {
        var clock = new FakeTimeProvider();
        await using var limiter = InProcessLimiterFactory.Create(
            new() { Algorithm = Enum.Parse<RateLimitAlgorithm>(algorithm), PermitLimit = permits, Window = TimeSpan.FromSeconds(window) }, clock);
        var begun = clock.GetUtcNow();
        foreach (var at in taken)
        {
            clock.SetUtcNow(begun + TimeSpan.FromSeconds(at));
            Assert.True(limiter.AttemptAcquire().IsAcquired, $"refused at {at}");
        }

        for (var round = 0; round < 3; round++)
        {
            var wait = Wait(limiter);
            Assert.InRange(wait, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(window));
            clock.Advance(wait - TimeSpan.FromMilliseconds(1));
            Assert.InRange(Wait(limiter), TimeSpan.FromTicks(1), TimeSpan.FromMilliseconds(1));
            clock.Advance(TimeSpan.FromMilliseconds(1));
            while (limiter.AttemptAcquire() is { IsAcquired: false }) Assert.Fail("refused after the wait");
            while (limiter.AttemptAcquire().IsAcquired) { }
        }
    }

    [Theory]
    [InlineData("FixedWindow")]
    [InlineData("SlidingWindow")]
    [InlineData("TokenBucket")]
    public async Task C2_a_limiter_is_idle_once_all_its_permits_are_back(string algorithm)
    {
        var clock = new FakeTimeProvider();
        await using var limiter = InProcessLimiterFactory.Create(
            new() { Algorithm = Enum.Parse<RateLimitAlgorithm>(algorithm), PermitLimit = 4, Window = TimeSpan.FromSeconds(60) }, clock);
        Assert.NotNull(limiter.IdleDuration);
        for (var i = 0; i < 4; i++) limiter.AttemptAcquire();

        Assert.Null(limiter.IdleDuration);
        clock.Advance(TimeSpan.FromSeconds(59));
        Assert.Null(limiter.IdleDuration);
        clock.Advance(TimeSpan.FromSeconds(11));
        Assert.Equal(TimeSpan.FromSeconds(10), limiter.IdleDuration);
    }

    [Fact]
    public async Task C2_callers_read_it_in_whole_seconds()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(clock);
        var gateway = await world.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis();
            foreach (var algorithm in (string[])["FixedWindow", "SlidingWindow", "TokenBucket"]) Add(settings, algorithm, "Local");
        });
        foreach (var (algorithm, seconds) in (IEnumerable<(string, double)>)[("FixedWindow", 45.5), ("SlidingWindow", 45.5), ("TokenBucket", 15.5)])
        {
            var path = $"/limited/{algorithm}/1";
            Assert.Equal(200, (await gateway.SendAsync(path, world.Token())).Status);
            clock.Advance(TimeSpan.FromSeconds(14.5));
            Assert.Equal(200, (await gateway.SendAsync(path, world.Token())).Status);

            var refused = await gateway.SendAsync(path, world.Token());

            ErrorResponseAssert.Matches(429, "TooManyRequests", refused);
            Assert.Equal($"\"{algorithm}\";r=0;t={Math.Ceiling(seconds)}", Assert.Single(refused.Headers.GetValues("RateLimit")));
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, Math.Ceiling(seconds), Math.Ceiling(seconds) + 11);
            clock.Advance(TimeSpan.FromSeconds(Math.Ceiling(seconds) - 1));
            Assert.Equal(429, (await gateway.SendAsync(path, world.Token())).Status);
            clock.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(200, (await gateway.SendAsync(path, world.Token())).Status);
        }
    }

    [Theory]
    [InlineData("FixedWindow")]
    [InlineData("SlidingWindow")]
    [InlineData("TokenBucket")]
    public async Task C2_with_Redis_it_is_what_Redis_holds(string algorithm)
    {
        for (var round = 1; ; round++)
        {
            await using var world = await World.StartAsync();
            var gateway = await world.StartGatewayAsync(settings => Add(settings, algorithm, "Redis", "01:00:00"));
            try
            {
                await IsWhatRedisHoldsAsync(world, gateway, algorithm);
                return;
            }
            catch (Exception) when (round < MostRounds)
            {
                // On a busy machine Redis can respond later than a gateway waits. The gateway then counts for itself, and there is nothing to compare.
                if (!((await Scrape.ReadAsync(world, gateway)).Sum("gateway_rate_limit_fallbacks_total") > 0)) throw;
            }
        }
    }

    private static async Task IsWhatRedisHoldsAsync(World world, RunningGateway gateway, string algorithm)
    {
        await using var redis = await world.Redis.ConnectAsync();
        var path = $"/limited/{algorithm}/1";
        Assert.Equal(200, (await gateway.SendAsync(path, world.Token())).Status);
        Assert.Equal(200, (await gateway.SendAsync(path, world.Token())).Status);
        // As if both were taken 10 minutes ago: of two permits the bucket gives one back in half an hour.
        await AgeAsync(redis, world, TimeSpan.FromMinutes(10));

        var (before, refused, after) = (DateTimeOffset.UtcNow, await gateway.SendAsync(path, world.Token()), DateTimeOffset.UtcNow);

        ErrorResponseAssert.Matches(429, "TooManyRequests", refused);
        var wait = More(refused);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, wait, wait + TimeSpan.FromSeconds(30));
        var due = await DueAsync(redis, world, algorithm);
        Assert.InRange(wait, due - after, due - before + TimeSpan.FromSeconds(1));
        await AgeAsync(redis, world, wait - TimeSpan.FromMinutes(2));
        var second = await gateway.SendAsync(path, world.Token());
        Assert.Equal(429, second.Status);
        Assert.InRange(More(second), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(2));
        await AgeAsync(redis, world, TimeSpan.FromMinutes(2));
        Assert.Equal(200, (await gateway.SendAsync(path, world.Token())).Status);
    }

    private static void Add(JsonObject settings, string algorithm, string store, string window = "00:01:00") => settings
        .Set(
            $"RateLimiting:Policies:{algorithm}",
            $$"""{ "Algorithm": "{{algorithm}}", "PartitionBy": "Subject", "PermitLimit": 2, "Window": "{{window}}", "Store": "{{store}}" }""")
        .Route(algorithm, $"/limited/{algorithm}/{{**rest}}", $$"""{ "RateLimiterPolicy": "{{algorithm}}" }""");

    private static TimeSpan Wait(RateLimiter limiter)
    {
        using var lease = limiter.AttemptAcquire();
        Assert.False(lease.IsAcquired);
        return Assert.NotNull(Assert.IsType<CountedLease>(lease, exactMatch: false).More);
    }

    private static TimeSpan More(Response refused) => TimeSpan.FromSeconds(
        int.Parse(Assert.Single(refused.Headers.GetValues("RateLimit")).Split(";t=")[1], NumberStyles.None, CultureInfo.InvariantCulture));

    private static async Task<List<RedisKey>> KeysAsync(ConnectionMultiplexer redis, World world) =>
        await redis.GetServers()[0].KeysAsync(pattern: $"rl:*{world.KeyPrefix}limit:*").ToListAsync();

    // Moves all times that the limiters keep into the past, which to them is as if the clock had moved on.
    private static async Task AgeAsync(ConnectionMultiplexer redis, World world, TimeSpan by)
    {
        var database = redis.GetDatabase();
        foreach (var key in await KeysAsync(redis, world))
        {
            var name = key.ToString();
            if (name.EndsWith(":exp", StringComparison.Ordinal)) await database.StringDecrementAsync(key, (long)by.TotalSeconds);
            else if (name.EndsWith(":ts", StringComparison.Ordinal)) await database.StringDecrementAsync(key, (long)by.TotalMilliseconds);
            else if (await database.KeyTypeAsync(key) == RedisType.SortedSet)
            {
                foreach (var entry in await database.SortedSetRangeByRankWithScoresAsync(key))
                    await database.SortedSetAddAsync(key, entry.Element, entry.Score - by.TotalSeconds);
            }
        }
    }

    // When Redis's own limiter lets the next request through.
    private static async Task<DateTimeOffset> DueAsync(ConnectionMultiplexer redis, World world, string algorithm)
    {
        var (database, keys) = (redis.GetDatabase(), await KeysAsync(redis, world));
        return algorithm switch
        {
            "FixedWindow" => DateTimeOffset.FromUnixTimeSeconds((long)await database.StringGetAsync(Ending(":exp")) + 1),
            "TokenBucket" => DateTimeOffset.FromUnixTimeMilliseconds((long)await database.StringGetAsync(Ending(":ts"))) + TimeSpan.FromMinutes(30),
            _ => DateTimeOffset.UnixEpoch.AddSeconds((await database.SortedSetRangeByRankWithScoresAsync(Ending("}"), 0, 0))[0].Score) + TimeSpan.FromHours(1),
        };

        RedisKey Ending(string end) => Assert.Single(keys, key => key.ToString().EndsWith(end, StringComparison.Ordinal));
    }
}
