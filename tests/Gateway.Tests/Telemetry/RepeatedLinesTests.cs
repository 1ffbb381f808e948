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

        Assert.Equal([true, true, true, false], new[] { "a", "b", "c", "d" }.Select(IsDue));
        time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal([true, true, true, false], new[] { "c", "d", "e", "f" }.Select(IsDue));

        bool IsDue(string kind) => lines.IsDue(kind, "rest", out _);
    }
}
