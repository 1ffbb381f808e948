namespace IotCredentials.Redis;

/// <summary>The Redis that replicas share, if there is one. A service of its own, because some containers do not take null for a service.</summary>
public sealed class SharedRedis : IAsyncDisposable
{
    internal SharedRedis(RedisConnection? connection) => Connection = connection;

    /// <summary>The connection, which is disposed of with this object; null without Redis.</summary>
    public RedisConnection? Connection { get; }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Connection?.DisposeAsync() ?? default;
}
