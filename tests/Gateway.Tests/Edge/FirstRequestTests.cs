using System.Diagnostics.Metrics;
using System.Globalization;
using Gateway.Edge;
using Gateway.Telemetry;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
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
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var metrics = new GatewayMetrics(services.GetRequiredService<IMeterFactory>(), TimeProvider.System);
        await using var connection = new DefaultConnectionContext();
        await using var first = new FirstRequest(
            connection, TimeSpan.Parse(within, CultureInfo.InvariantCulture), TimeProvider.System, metrics);

        first.Arrived();
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
    }
}
