using Gateway.Management.Console;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Gateway.Tests.Management;

public sealed class PollScheduleTests
{
    /// <summary>Consoles that are open for a minute, each asking when it was told to: how often all of them ask in a second, and how long one of them waits.</summary>
    [Theory]
    [InlineData(1, 0.5, 2)]
    [InlineData(8, 4, 2)]
    [InlineData(20, 4, 5)]
    [InlineData(100, 4, 25)]
    [InlineData(500, 16.7, 30)]
    public void All_consoles_together_ask_four_times_a_second_and_each_within_30_seconds(int consoles, double asked, double waited)
    {
        var time = new FakeTimeProvider();
        var schedule = new PollSchedule(time);
        var turns = new PriorityQueue<int, DateTimeOffset>(Enumerable.Range(0, consoles).Select(console => (console, time.GetUtcNow())));
        // The first minute brings them into their turns.
        var from = time.GetUtcNow() + TimeSpan.FromMinutes(1);
        var to = from + TimeSpan.FromMinutes(5);
        var count = 0;
        var longest = TimeSpan.Zero;

        while (turns.TryDequeue(out var console, out var at) && at < to)
        {
            time.SetUtcNow(at);
            var wait = schedule.Next();
            turns.Enqueue(console, at + wait);
            if (at < from) continue;
            count++;
            if (wait > longest) longest = wait;
        }

        Assert.Equal(asked, count / (to - from).TotalSeconds, 0.2);
        Assert.Equal(waited, longest.TotalSeconds, 0.3);
    }

    [Fact]
    public void A_console_that_remains_alone_asks_every_two_seconds_again()
    {
        var time = new FakeTimeProvider();
        var schedule = new PollSchedule(time);
        TimeSpan last = default;
        for (var console = 0; console < 1000; console++) last = schedule.Next();
        Assert.Equal(TimeSpan.FromSeconds(30), last);

        time.Advance(last);

        Assert.Equal(TimeSpan.FromSeconds(2), schedule.Next());
    }
}
