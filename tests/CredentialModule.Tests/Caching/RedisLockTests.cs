using System.Reflection;
using IotCredentials.Redis;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;
using Xunit;

namespace IotCredentials.Tests.Caching;

/// <summary>The lock by a clock that the tests move. Redis itself is in <c>LockTests</c> of the gateway.</summary>
public sealed class RedisLockTests
{
    private const string Key = "lock:key";
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly FakeRedis _redis;

    public RedisLockTests()
    {
        _redis = (FakeRedis)(object)DispatchProxy.Create<IDatabase, FakeRedis>();
        _redis.Time = _time;
    }

    [Fact]
    public async Task A_lock_that_is_free_is_taken_at_once_and_another_waits_until_it_is_released()
    {
        var first = await TakeAsync();
        var second = TakeAsync();
        await PassAsync(TimeSpan.FromSeconds(5));
        Assert.False(second.IsCompleted);

        await first.DisposeAsync();

        await using var taken = await UntilAsync(second);
        Assert.True(first.IsHeld && taken.IsHeld);
        Assert.False(taken.IsOverridden);
    }

    [Fact]
    public async Task A_holder_that_is_slow_keeps_its_lock_until_the_others_patience_ends()
    {
        await using var slow = await TakeAsync();
        var begun = _time.GetUtcNow();

        await using var waited = await UntilAsync(TakeAsync());

        Assert.InRange(_time.GetUtcNow() - begun, s_patience, s_patience + TimeSpan.FromSeconds(1));
        Assert.False(waited.IsHeld);
        Assert.True(waited.IsOverridden);
    }

    [Fact]
    public async Task A_holder_that_died_delays_another_by_less_than_two_seconds()
    {
        _redis.Plant(Key, TimeSpan.FromSeconds(1.8));
        var begun = _time.GetUtcNow();

        await using var taken = await UntilAsync(TakeAsync());

        Assert.InRange(_time.GetUtcNow() - begun, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.True(taken.IsHeld);
        Assert.False(taken.IsOverridden);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(3600)]
    public async Task A_lock_that_lives_longer_than_any_replicas_is_replaced_at_once(int? seconds)
    {
        _redis.Plant(Key, seconds is { } life ? TimeSpan.FromSeconds(life) : null);
        var begun = _time.GetUtcNow();

        await using var taken = await UntilAsync(TakeAsync());

        Assert.InRange(_time.GetUtcNow() - begun, TimeSpan.Zero, TimeSpan.FromSeconds(0.5));
        Assert.True(taken.IsHeld && taken.IsOverridden);
        await PassAsync(TimeSpan.FromSeconds(5));
        Assert.True(_redis.IsSet(Key));
    }

    [Fact]
    public async Task Nobody_waits_for_a_lock_that_is_not_needed_any_more()
    {
        await using var held = await TakeAsync();
        var isNeedless = false;
        var waiting = RedisLock.AcquireAsync((IDatabase)(object)_redis, Key, s_patience, s_patience, () => Task.FromResult(isNeedless), _time);
        await PassAsync(TimeSpan.FromSeconds(1));
        Assert.False(waiting.IsCompleted);

        isNeedless = true;

        await using var taken = await UntilAsync(waiting);
        Assert.False(taken.IsHeld || taken.IsOverridden);
    }

    private Task<RedisLock> TakeAsync() => RedisLock.AcquireAsync(
        (IDatabase)(object)_redis, Key, s_patience, s_patience, static () => Task.FromResult(false), _time);

    private async Task PassAsync(TimeSpan span)
    {
        for (var end = _time.GetUtcNow() + span; _time.GetUtcNow() < end; await StepAsync()) { }
    }

    private async Task<RedisLock> UntilAsync(Task<RedisLock> taking)
    {
        for (var i = 0; !taking.IsCompleted && i < 10_000; i++) await StepAsync();
        return await taking.WaitAsync(TimeSpan.FromSeconds(1));
    }

    // Whatever waits for this clock goes on before the next step.
    private async Task StepAsync()
    {
        _time.Advance(s_step);
        for (var i = 0; i < 3; i++) await Task.Yield();
    }

    /// <summary>The commands of a lock, by the tests' clock.</summary>
    public class FakeRedis : DispatchProxy
    {
        private readonly Dictionary<string, (string Holder, DateTimeOffset? Expires)> _keys = new(StringComparer.Ordinal);

        public TimeProvider Time { get; set; } = null!;

        public bool IsSet(string key)
        {
            lock (_keys) return _keys.TryGetValue(key, out var kept) && !(kept.Expires <= Time.GetUtcNow());
        }

        public void Plant(string key, TimeSpan? life) => Set(key, "planted", life);

        protected override object Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            var key = args![0]!.ToString()!;
            lock (_keys)
            {
                switch (targetMethod!.Name)
                {
                    case "LockTakeAsync":
                        return Task.FromResult(!IsSet(key) && Set(key, args[1]!.ToString()!, (TimeSpan)args[2]!));
                    case "LockExtendAsync":
                        return Task.FromResult(IsHeldBy(key, args[1]!.ToString()!) && Set(key, args[1]!.ToString()!, (TimeSpan)args[2]!));
                    case "LockReleaseAsync":
                        return Task.FromResult(IsHeldBy(key, args[1]!.ToString()!) && _keys.Remove(key));
                    case "KeyTimeToLiveAsync":
                        return Task.FromResult(IsSet(key) ? _keys[key].Expires - Time.GetUtcNow() : null);
                    case "StringSetAsync":
                        return Task.FromResult(Set(key, args[1]!.ToString()!, TimeSpan.FromSeconds(1.8)));
                    default:
                        throw new NotSupportedException(targetMethod.Name);
                }
            }
        }

        private bool IsHeldBy(string key, string holder) => IsSet(key) && _keys[key].Holder == holder;

        private bool Set(string key, string holder, TimeSpan? life)
        {
            lock (_keys) _keys[key] = (holder, life is null ? null : Time.GetUtcNow() + life);
            return true;
        }
    }
}
