using System.Text.Json.Nodes;
using Gateway.Tests.Management;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Vending;

[Trait("Category", "Redis")]
public sealed class StsCircuitBreakerTests
{
    [Fact]
    public async Task An_STS_that_keeps_failing_is_left_alone_while_what_is_valid_is_served()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var gateway = await world.StartGatewayAsync(settings => settings["IotCredentials"]!["Sts"] = new JsonObject { ["PermitsPerSecond"] = 10_000 });
        var warm = await gateway.VendAsync("o-warm");
        var fault = world.Aws.Inject(AwsFault.HttpStatus(500), "AssumeRole");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => gateway.VendAsync($"o-failing{i}")));
        var calls = world.Aws.Count("AssumeRole");

        var refused = await gateway.VendAsync("o-cold");

        Assert.Equal(503, refused.Status);
        Assert.True(refused.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal(calls, world.Aws.Count("AssumeRole"));
        Assert.Equal(("Degraded", "STS keeps failing in ap-northeast-1 (Unavailable)"), await world.ReadinessAsync(gateway, "aws"));
        Assert.Equal(warm.AccessKeyId, (await gateway.VendAsync("o-warm")).AccessKeyId);

        // The trial call fails, too: it is still one outage.
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(503, (await gateway.VendAsync("o-trial")).Status);
        fault.Dispose();
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(200, (await gateway.VendAsync("o-other")).Status);
        Assert.Equal(("Healthy", null), await world.ReadinessAsync(gateway, "aws"));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "STS in ap-northeast-1 keeps failing (Unavailable) and is called once in 5 s"));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, "STS in ap-northeast-1 responds again, after 12 s"));
    }
}
