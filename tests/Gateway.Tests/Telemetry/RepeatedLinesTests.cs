using Gateway.Telemetry;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>Kinds beyond the bound share a line for as long as the others repeat, and no longer.</summary>
public sealed class RepeatedLinesTests
{
    [Fact]
    public void IsDue_WhenTheKindsThatFilledItHaveEnded_TellsNewOnesApartAgain()
    {
        var time = new FakeTimeProvider();
        var lines = new RepeatedLines<string>(2, time);

        Assert.Equal([(true, 0), (true, 0), (true, 0), (false, 0)], new[] { "a", "b", "c", "d" }.Select(Ask));
        time.Advance(TimeSpan.FromMinutes(1));

        // The one that was left out is told with the next of the rest.
        Assert.Equal([(true, 0), (true, 1), (false, 0), (false, 0)], new[] { "c", "d", "e", "c" }.Select(Ask));

        (bool, int) Ask(string kind) => (lines.IsDue(kind, "rest", out var leftOut), leftOut);
    }
}
