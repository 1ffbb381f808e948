using StackExchange.Redis;
using Xunit;

namespace Sandbox.Tests;

public sealed class EmbeddedRedisTests
{
    [Fact]
    public async Task It_keeps_values_and_runs_Lua()
    {
        await using var redis = await EmbeddedRedis.StartAsync();
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        var database = connection.GetDatabase();

        await database.StringSetAsync("key", "value");
        var result = await database.ScriptEvaluateAsync("return redis.call('GET', KEYS[1])", ["key"]);

        Assert.Equal("value", (string?)result);
    }

    [Fact]
    public async Task Two_run_side_by_side_and_share_nothing()
    {
        await using var one = await EmbeddedRedis.StartAsync();
        await using var two = await EmbeddedRedis.StartAsync();
        await using var connectionToOne = await ConnectionMultiplexer.ConnectAsync(one.ConnectionString);
        await using var connectionToTwo = await ConnectionMultiplexer.ConnectAsync(two.ConnectionString);

        await connectionToOne.GetDatabase().StringSetAsync("key", "value");

        Assert.NotEqual(one.Port, two.Port);
        Assert.True((await connectionToTwo.GetDatabase().StringGetAsync("key")).IsNull);
    }

    [Fact]
    public async Task A_disposed_one_refuses_connections_and_its_port_can_be_used_again()
    {
        var first = await EmbeddedRedis.StartAsync();
        await first.DisposeAsync();
        await Assert.ThrowsAsync<RedisConnectionException>(() => ConnectionMultiplexer.ConnectAsync(first.ConnectionString));

        await using var second = await EmbeddedRedis.StartAsync(first.Port);
        await using var connection = await ConnectionMultiplexer.ConnectAsync(second.ConnectionString);

        Assert.Equal(first.ConnectionString, second.ConnectionString);
        Assert.True(connection.IsConnected);
    }

    [Fact]
    public async Task A_given_port_that_is_taken_throws()
    {
        await using var redis = await EmbeddedRedis.StartAsync();

        await Assert.ThrowsAsync<IOException>(() => EmbeddedRedis.StartAsync(redis.Port));
    }
}
