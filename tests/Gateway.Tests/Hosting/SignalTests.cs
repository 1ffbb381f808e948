using Testing;
using Xunit;

namespace Gateway.Tests.Hosting;

/// <summary>The signals of operators and their tools, sent to a gateway in a process of its own.</summary>
public sealed class SignalTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task SIGHUP_ends_no_gateway_wherever_its_logs_go(bool accessFile, bool auditFile)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(settings =>
        {
            settings.WithoutRedis();
            if (accessFile) settings.Set("AccessLog:Path", "\"access.log\"");
            if (auditFile) settings.Set("AuditLog:Path", "\"audit.log\"");
        });

        for (var i = 0; i < 3; i++)
        {
            gateway.Signal("HUP");
            Assert.Equal(200, (await world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/1", world.Token("o-acme"))).Status);
        }

        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());
    }
}
