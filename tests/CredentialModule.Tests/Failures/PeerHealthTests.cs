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
    public void After_five_doubts_in_a_row_the_owner_has_to_ask()
    {
        var health = new PeerHealth(_time);
        for (var doubt = 1; doubt <= 4; doubt++) Assert.False(health.Doubt());
        Assert.True(health.Doubt());
        Assert.True(health.TryBeginCall());
        Assert.Null(health.Outage);

        Assert.Null(health.Succeeded());

        Assert.False(health.Doubt());
    }

    [Fact]
    public void During_an_outage_one_call_is_made_per_pause_and_pauses_double_from_1_s_to_8_s()
    {
        var health = new PeerHealth(_time);
        health.Failed("a", "x");
        foreach (var pause in new[] { 1, 2, 4, 8, 8, 8 })
        {
            Assert.Equal(TimeSpan.FromSeconds(pause), health.Pause);
            Assert.False(health.TryBeginCall());
            _time.Advance(TimeSpan.FromSeconds(pause));
            Assert.True(health.TryBeginCall());
            // One caller asks; the others do not, until it has reported or its pause is over.
            Assert.False(health.TryBeginCall());
            health.Failed("a", "x");
        }
    }

    [Fact]
    public void A_call_that_never_reports_does_not_keep_others_from_asking()
    {
        var health = new PeerHealth(_time);
        health.Failed("a", "x");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(health.TryBeginCall());

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(health.TryBeginCall());
    }
}
