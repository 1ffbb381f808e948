using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
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

    [Fact]
    public async Task A_stop_during_the_start_is_no_failure_of_it()
    {
        await using var world = await World.StartAsync();
        using var folder = world.Folder(static settings => settings.WithoutRedis());
        var codes = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            var output = new ConcurrentQueue<string>();
            var read = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            using var process = ChildProcess.Start("dotnet", [GatewayProcess.Program, "--config", folder.Path], world.Aws.EnvironmentVariables, line =>
            {
                output.Enqueue(line);
                // Then the host begins to start.
                if (line.Contains("The configuration was read", StringComparison.Ordinal)) read.TrySetResult();
            });
            await read.Task.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
            using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(CultureInfo.InvariantCulture)]);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);

            Assert.DoesNotContain(output, static line => line.Contains("error:", StringComparison.Ordinal));
            codes.Add(process.ExitCode);
        }

        // Before the host listens for the signal it ends the process, which systemd and Kubernetes take for the stop that they asked for, too.
        Assert.All(codes, static code => Assert.Contains(code, (int[])[0, 128 + 15]));
    }
}
