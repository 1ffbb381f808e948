using IotCredentials.Failures;
using IotCredentials.Fetching;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IotCredentials.Tests.Fetching;

public sealed class NegativeCacheTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly NegativeCache _failures;

    public NegativeCacheTests() => _failures = new NegativeCache(_time);

    public void Dispose() => _failures.Dispose();

    [Theory]
    [InlineData("Refused", 30)]
    [InlineData("TooShort", 60)]
    [InlineData("Unavailable", 2)]
    [InlineData("Credentials", 2)]
    public async Task A_failure_is_cached_for_its_time_and_says_what_is_left_of_it(string failure, int seconds)
    {
        await FailAsync("key", Enum.Parse<FailureClass>(failure));

        _time.Advance(TimeSpan.FromSeconds(seconds - 0.5));
        var cached = Assert.Throws<VendingException>(() => _failures.ThrowIfContained("key"));

        Assert.Equal((failure, "as it happened"), (cached.Failure.ToString(), cached.Message));
        Assert.Equal(TimeSpan.FromSeconds(0.5), cached.RetryAfter);
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Assert.False(_failures.Contains("key"));
        Assert.Equal(1, await _failures.GuardAsync("key", () => Task.FromResult(1)));
    }

    [Fact]
    public async Task While_a_failure_is_cached_nothing_runs_for_its_key_and_everything_for_another()
    {
        await FailAsync("key", FailureClass.Refused);

        await Assert.ThrowsAsync<VendingException>(() => _failures.GuardAsync<int>("key", () => throw new InvalidOperationException("ran")));
        Assert.False(_failures.Contains("other"));
        Assert.Equal(1, await _failures.GuardAsync("other", () => Task.FromResult(1)));
    }

    [Fact]
    public async Task Throttles_in_a_row_double_the_time_up_to_30_seconds()
    {
        for (var i = 0; i < 10; i++)
        {
            var longest = Math.Min(30, Math.Pow(2, i));
            var waited = (await FailAsync("key", FailureClass.Throttled)).RetryAfter;
            Assert.InRange(waited.TotalSeconds, longest / 2, longest);
            _time.Advance(waited);
        }
    }

    [Fact]
    public async Task A_throttle_counts_as_consecutive_until_another_outcome_or_a_minute_more_than_twice_its_time()
    {
        for (var i = 0; i < 6; i++) _time.Advance((await FailAsync("key", FailureClass.Throttled)).RetryAfter);
        Assert.InRange((await FailAsync("key", FailureClass.Throttled)).RetryAfter.TotalSeconds, 15, 30);

        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.InRange((await FailAsync("key", FailureClass.Throttled)).RetryAfter.TotalSeconds, 0.5, 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await FailAsync("key", FailureClass.Unavailable);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.InRange((await FailAsync("key", FailureClass.Throttled)).RetryAfter.TotalSeconds, 0.5, 1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _failures.GuardAsync("key", () => Task.FromResult(1));
        Assert.InRange((await FailAsync("key", FailureClass.Throttled)).RetryAfter.TotalSeconds, 0.5, 1);
    }

    [Fact]
    public async Task A_failures_consequences_are_logged_once_and_those_of_the_gateways_own_credentials_never()
    {
        Assert.False(_failures.ShouldLog("key"));
        await FailAsync("key", FailureClass.Unavailable);
        await FailAsync("own", FailureClass.Credentials);

        Assert.True(_failures.ShouldLog("key"));
        Assert.False(_failures.ShouldLog("key"));
        Assert.False(_failures.ShouldLog("own"));
    }

    private Task<VendingException> FailAsync(string key, FailureClass failure) =>
        Assert.ThrowsAsync<VendingException>(() => _failures.GuardAsync<int>(key, () => throw new VendingException(failure, "as it happened")));
}
