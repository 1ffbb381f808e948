using IotCredentials.Failures;
using StackExchange.Redis;

namespace IotCredentials.Redis;

/// <summary>
/// A lock in Redis that saves replicas a second call to AWS. It is extended while it is held and expires soon after its holder died. Two replicas may continue
/// at once without harm, so a replica that has waited long enough continues without the lock.
/// </summary>
internal sealed class RedisLock : IAsyncDisposable
{
    // A holder that dies delays the others by at most this long.
    internal static readonly TimeSpan Expiry = TimeSpan.FromSeconds(1.8);
    internal static readonly TimeSpan ExtendEvery = Expiry / 4;

    private readonly IDatabase _redis;
    private readonly RedisKey _key;
    private readonly RedisValue _holder;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ended = new();

    private RedisLock(IDatabase redis, RedisKey key, RedisValue holder, TimeProvider time, bool isHeld, bool isOverridden)
    {
        _redis = redis;
        _key = key;
        _holder = holder;
        _time = time;
        (IsHeld, IsOverridden) = (isHeld, isOverridden);
        if (isHeld) _ = ExtendAsync();
    }

    /// <summary>False if the lock was not needed, or another replica held it all the time.</summary>
    public bool IsHeld { get; }

    /// <summary>Whether another holder's lock lasted longer than a lock may last.</summary>
    public bool IsOverridden { get; }

    /// <summary>Waits for the lock, up to <paramref name="patience"/>.</summary>
    /// <param name="redis">The database.</param>
    /// <param name="key">The lock's key.</param>
    /// <param name="patience">The longest wait for a holder that extends its lock.</param>
    /// <param name="commandTimeout">The longest wait for the response to a command.</param>
    /// <param name="isNeedless">Called after each failed attempt; true ends the wait.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="RedisException">Redis cannot be used.</exception>
    /// <exception cref="TimeoutException">Redis does not respond.</exception>
    public static async Task<RedisLock> AcquireAsync(
        IDatabase redis, RedisKey key, TimeSpan patience, TimeSpan commandTimeout, Func<Task<bool>> isNeedless, TimeProvider time)
    {
        RedisValue holder = Guid.NewGuid().ToString("N");
        var (begun, foreign) = (time.GetTimestamp(), 0);
        while (!await redis.LockTakeAsync(key, holder, Expiry).WaitAsync(commandTimeout))
        {
            if (await isNeedless()) return new RedisLock(redis, key, holder, time, isHeld: false, isOverridden: false);
            if (time.GetElapsedTime(begun) > patience) return new RedisLock(redis, key, holder, time, isHeld: false, isOverridden: true);
            // A replica's lock never has a longer time to live than Expiry. A lock that has was planted, or written by a node whose clock was ahead. A key
            // that has just expired has no time to live either, so two such reads in a row are required.
            foreign = await redis.KeyTimeToLiveAsync(key).WaitAsync(commandTimeout) is { } life && life <= Expiry ? 0 : foreign + 1;
            if (foreign == 2 && await redis.StringSetAsync(key, holder, Expiry).WaitAsync(commandTimeout))
                return new RedisLock(redis, key, holder, time, isHeld: true, isOverridden: true);
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(20, 60)), time);
        }

        return new RedisLock(redis, key, holder, time, isHeld: true, isOverridden: false);
    }

    private async Task ExtendAsync()
    {
        using var timer = new PeriodicTimer(ExtendEvery, _time);
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                if (!await timer.WaitForNextTickAsync(_ended.Token)) return;
                // The client can miss that a command has timed out.
                await _redis.LockExtendAsync(_key, _holder, Expiry).ObserveException().WaitAsync(ExtendEvery);
            }
            catch (Exception)
            {
                // The lock was released; or Redis failed, and the next extension may still come in time.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!IsHeld) return;
        await _ended.CancelAsync();
        // Not awaited: if the release fails, the lock expires.
        _ = _redis.LockReleaseAsync(_key, _holder, CommandFlags.FireAndForget).ObserveException();
    }
}
