using System.Diagnostics;
using System.Globalization;

namespace Testing;

/// <summary>A Redis in a process of its own: the <c>redis-server</c> that <c>TEST_REDIS_SERVER</c> names, or Garnet.</summary>
public sealed class RedisServer : ServerProcess
{
    private static readonly Lazy<Task<RedisServer>> s_shared = new(() => StartAsync());

    private RedisServer()
    {
    }

    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Whether it is redis-server and not Garnet.</summary>
    public static bool IsReal => Program is not null;

    private static string? Program => Environment.GetEnvironmentVariable("TEST_REDIS_SERVER") is { Length: > 0 } path ? path : null;

    /// <summary>One for all tests of the process that do it no harm; every world has a key prefix of its own.</summary>
    public static Task<RedisServer> SharedAsync() => s_shared.Value;

    public static async Task<RedisServer> StartAsync()
    {
        var server = new RedisServer();
        await server.RestartAsync();
        return server;
    }

    protected override Process Start() => Program is { } redis
        ? ChildProcess.Start(redis, ["--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--enable-protected-configs", "yes"])
        : StartBuilt("GarnetHost");
}
