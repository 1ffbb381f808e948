using System.Diagnostics;
using StackExchange.Redis;

namespace CredentialModule.Caching;

/// <summary>A lock in Redis that lives as long as its holder does: extended while it is held, given up by itself soon after the holder died.</summary>
internal sealed class RedisTurn : IAsyncDisposable
{
    // A holder that dies delays the others by this much at most.
    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(1.8);
    private static readonly TimeSpan ExtendEvery = Expiry / 4;

    private readonly IDatabase _redis;
    private readonly RedisKey _key;
    private readonly RedisValue _holder;
    private readonly CancellationTokenSource _ended = new();

    private RedisTurn(IDatabase redis, RedisKey key, RedisValue holder)
    {
        _redis = redis;
        _key = key;
        _holder = holder;
        _ = ExtendAsync();
    }

    /// <summary>Waits for the lock; null when somebody else held it all the time.</summary>
    /// <exception cref="RedisException">Redis does not answer.</exception>
    public static async Task<RedisTurn?> TakeAsync(IDatabase redis, RedisKey key, TimeSpan patience, CancellationToken cancellation)
    {
        RedisValue holder = Guid.NewGuid().ToString("N");
        var begun = Stopwatch.GetTimestamp();
        while (!await redis.LockTakeAsync(key, holder, Expiry))
        {
            if (Stopwatch.GetElapsedTime(begun) > patience) return null;
            await Task.Delay(Random.Shared.Next(10, 40), cancellation);
        }

        return new RedisTurn(redis, key, holder);
    }

    private async Task ExtendAsync()
    {
        using var timer = new PeriodicTimer(ExtendEvery);
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                if (await timer.WaitForNextTickAsync(_ended.Token)) await _redis.LockExtendAsync(_key, _holder, Expiry);
            }
            catch (Exception)
            {
                // Ended; or Redis stumbled, and the next extension may still come in time.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        // Nobody waits for Redis to take it back: should it not, the lock expires.
        _ = _redis.LockReleaseAsync(_key, _holder, CommandFlags.FireAndForget).ContinueWith(static task => task.Exception, TaskScheduler.Default);
    }
}
