using System.Diagnostics.Metrics;
using System.Globalization;
using Gateway.Edge;
using Microsoft.AspNetCore.Connections;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>A connection is served with any time that Kestrel takes as RequestHeadersTimeout.</summary>
public sealed class FirstRequestTests
{
    [Theory]
    [InlineData("00:00:10")]
    [InlineData("44.23:59:59")]
    [InlineData("60.00:00:00")]
    [InlineData("10675199.02:48:05.4775806")]
    [InlineData("10675199.02:48:05.4775807")]
    public async Task S16_a_time_beyond_what_a_timer_takes_refuses_no_connection(string within)
    {
        using var meter = new Meter(nameof(FirstRequestTests));
        await using var connection = new DefaultConnectionContext();
        await using var first = new FirstRequest(
            connection, TimeSpan.Parse(within, CultureInfo.InvariantCulture), TimeProvider.System, meter.CreateCounter<long>("closed"));

        first.Arrived();
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
    }
}
