using System.Globalization;
using System.Text;
using Gateway.Telemetry;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>Times are UTC and read the same in every culture and time zone.</summary>
public sealed class UtcTimeTests
{
    [Theory]
    [InlineData("2026-01-31T08:00:00Z", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000Z")]
    [InlineData("2026-01-31T23:30:00.1239-02:00", "2026-02-01T01:30:00Z", "2026-02-01T01:30:00.123Z")]
    [InlineData("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z")]
    public void Formats_TimeOfAnyOffset_AsUtc(string time, string seconds, string milliseconds)
    {
        var parsed = DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);

        var written = new byte[UtcTime.LengthOfMilliseconds];
        UtcTime.WriteMilliseconds(parsed, written);

        Assert.Equal((seconds, milliseconds), (UtcTime.Seconds(parsed), Encoding.ASCII.GetString(written)));
    }

    [Fact]
    public void Formats_InACultureWithOtherSeparators_AreTheSame()
    {
        var before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = new CultureInfo("") { DateTimeFormat = new DateTimeFormatInfo { TimeSeparator = ".", DateSeparator = "/" } };
        try
        {
            Assert.Equal("2026-01-31T08:00:00Z", UtcTime.Seconds(new DateTimeOffset(2026, 1, 31, 8, 0, 0, TimeSpan.Zero)));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
