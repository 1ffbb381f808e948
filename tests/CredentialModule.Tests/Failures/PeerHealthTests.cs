using IotCredentials.Failures;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IotCredentials.Tests.Failures;

public sealed class PeerHealthTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void An_outage_begins_once_and_its_end_says_how_long_it_was()
    {
        var health = new PeerHealth(_time);

        Assert.True(health.Failed("a", "first"));
        var since = _time.GetUtcNow();
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.False(health.Failed("a", "second"));
        Assert.Equal(new PeerOutage("a", "second", since), health.Outage);
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(TimeSpan.FromSeconds(5), health.Succeeded());
        Assert.Null(health.Outage);
        Assert.Null(health.Succeeded());
        Assert.True(health.Failed("a", "again"));
    }

    [Fact]
    public void As_many_failures_in_a_row_as_are_tolerated_are_no_outage()
    {
        var health = new PeerHealth(_time, tolerated: 2);
        for (var round = 0; round < 5; round++)
        {
            Assert.False(health.Failed("a", "x"));
            Assert.False(health.Failed("a", "x"));
            Assert.True(health.MayCall());
            Assert.Null(health.Succeeded());
        }

        health.Failed("a", "x");
        health.Failed("a", "x");
        Assert.True(health.Failed("a", "x"));
        Assert.False(health.MayCall());
    }

    [Fact]
    public void Failures_about_one_subject_count_once_until_a_call_succeeds_or_an_outage_begins()
    {
        var health = new PeerHealth(_time, tolerated: 1);
        for (var i = 0; i < 30; i++) Assert.False(health.Failed("a", "x", "bad"));
        Assert.Null(health.Succeeded());
        Assert.False(health.Failed("a", "x", "other"));

        Assert.True(health.Failed("a", "x", "bad"));
        Assert.False(health.Failed("a", "last", "bad"));

        Assert.Equal("last", health.Outage!.Cause);
        Assert.Equal(TimeSpan.FromSeconds(2), health.Pause);
    }

    [Fact]
    public void During_an_outage_one_call_is_made_per_pause_and_pauses_double_from_1_s_to_8_s()
    {
        var health = new PeerHealth(_time);
        health.Failed("a", "x");
        foreach (var pause in new[] { 1, 2, 4, 8, 8, 8 })
        {
            Assert.Equal(TimeSpan.FromSeconds(pause), health.Pause);
            Assert.False(health.MayCall());
            _time.Advance(TimeSpan.FromSeconds(pause));
            Assert.True(health.MayCall());
            // One caller asks; the others do not, until it has reported or its pause is over.
            Assert.False(health.MayCall());
            health.Failed("a", "x");
        }
    }

    [Fact]
    public void A_call_that_never_reports_does_not_keep_others_from_asking()
    {
        var health = new PeerHealth(_time);
        health.Failed("a", "x");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(health.MayCall());

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(health.MayCall());
    }
}
