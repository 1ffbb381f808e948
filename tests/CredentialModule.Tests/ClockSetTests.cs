using IotCredentials.Caching;
using IotCredentials.Failures;
using IotCredentials.Fetching;
using IotCredentials.Telemetry;
using Testing;
using Xunit;

namespace IotCredentials.Tests;

/// <summary>Nothing lasts longer or shorter than it should because the machine's clock is set.</summary>
public sealed class ClockSetTests
{
    private readonly SettableClock _clock = new();

    public static TheoryData<TimeSpan> Steps => [TimeSpan.FromHours(-1), TimeSpan.FromDays(-400), TimeSpan.FromHours(1), TimeSpan.FromDays(400)];

    [Theory]
    [MemberData(nameof(Steps))]
    public void An_outage_is_probed_after_its_pause(TimeSpan step)
    {
        var health = new PeerHealth(_clock);
        health.Failed("a", "x");

        _clock.Set = step;

        Assert.False(health.TryBeginCall());
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(health.TryBeginCall());
        Assert.Equal(TimeSpan.FromSeconds(1), health.Succeeded());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void A_failure_is_cached_for_its_time(TimeSpan step)
    {
        using var failures = new NegativeCache(_clock);
        failures.Add("key", new VendingException(FailureClass.Unavailable, "x"));
        var wait = Assert.Throws<VendingException>(() => failures.ThrowIfContained("key")).RetryAfter;

        _clock.Set = step;

        Assert.Equal(wait, Assert.Throws<VendingException>(() => failures.ThrowIfContained("key")).RetryAfter);
        _clock.Advance(wait);
        Assert.False(failures.Contains("key"));
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void A_line_is_logged_again_after_its_interval(TimeSpan step)
    {
        var interval = new LogInterval(TimeSpan.FromMinutes(1), _clock);
        Assert.True(interval.IsDue());

        _clock.Set = step;

        Assert.False(interval.IsDue());
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(interval.IsDue());
    }

    [Theory]
    [MemberData(nameof(Steps))]
    public void The_memory_cache_counts_on(TimeSpan step)
    {
        var memory = new MemoryClock(_clock);
        var before = memory.UtcNow;

        _clock.Set = step;
        _clock.Advance(TimeSpan.FromSeconds(3));

        Assert.Equal(TimeSpan.FromSeconds(3), memory.UtcNow - before);
    }
}
