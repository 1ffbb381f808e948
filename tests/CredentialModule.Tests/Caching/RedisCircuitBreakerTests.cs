using IotCredentials.Redis;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IotCredentials.Tests.Caching;

public sealed class RedisCircuitBreakerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RedisCircuitBreaker _breaker;
    private int _opened;

    public RedisCircuitBreakerTests() => _breaker = new RedisCircuitBreaker(_time, () => _opened++);

    [Fact]
    public void One_timeout_does_not_open_the_circuit()
    {
        TimeOut(Begin());

        Assert.False(_breaker.IsOpen);
        Assert.Equal(0, _opened);
    }

    [Fact]
    public void Commands_that_began_together_and_time_out_together_do_not_open_it()
    {
        var begun = Begin();
        _time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 10; i++) _breaker.OnTimeout(begun);

        Assert.False(_breaker.IsOpen);
    }

    [Fact]
    public void A_timeout_of_a_command_that_began_after_the_first_opens_it_for_two_seconds()
    {
        TimeOut(Begin());
        TimeOut(Begin());

        Assert.True(_breaker.IsOpen);
        Assert.Equal(1, _opened);
        _time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.True(_breaker.IsOpen);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.False(_breaker.IsOpen);
    }

    [Fact]
    public void After_it_has_closed_the_next_timeout_opens_it_again_and_a_success_in_between_does_not()
    {
        TimeOut(Begin());
        TimeOut(Begin());
        _time.Advance(TimeSpan.FromSeconds(2));
        TimeOut(Begin());
        Assert.True(_breaker.IsOpen);

        _time.Advance(TimeSpan.FromSeconds(2));
        _breaker.OnSuccess();
        TimeOut(Begin());

        Assert.False(_breaker.IsOpen);
        Assert.Equal(2, _opened);
    }

    private long Begin()
    {
        _time.Advance(TimeSpan.FromMilliseconds(1));
        return _time.GetTimestamp();
    }

    private void TimeOut(long begun)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        _breaker.OnTimeout(begun);
    }
}
