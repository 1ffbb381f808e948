using System.Diagnostics.Metrics;
using IotCredentials.Failures;
using IotCredentials.Redis;
using IotCredentials.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Caching;

/// <summary>The watch lasts as long as the trouble.</summary>
public sealed class RedisWatchTests
{
    [Fact]
    public async Task F8_a_probe_that_throws_does_not_end_the_watch_and_is_logged_once_by_its_kind()
    {
        using var log = new LogLines();
        // With such a timeout each probe throws an exception that nobody expects.
        var probe = new RedisProbe(ConfigurationOptions.Parse("127.0.0.1:1,password=hunter2"), "watch-tests:", TimeSpan.FromSeconds(-5));
        var connected = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var looks = 0;
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var watch = new RedisWatch(
            probe.EndPoints,
            probe.FindAsync,
            () => Task.FromResult(IsConnected()),
            static () => { },
            new CredentialMetrics(services.GetRequiredService<IMeterFactory>()),
            log.CreateLogger("watch"));

        watch.Suspect();

        await connected.Task.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        Assert.Equal(1, log.Count(LogLevel.Warning, "127.0.0.1:1 cannot be determined: ArgumentOutOfRangeException"));
        Assert.DoesNotContain("hunter2", log.Text, StringComparison.Ordinal);

        bool IsConnected()
        {
            if (++looks < 3) return false;
            connected.TrySetResult();
            return true;
        }
    }

    [Theory]
    [InlineData("has_no_password", true, false)]
    [InlineData("error", true, false)]
    [InlineData("has_no_password", false, true)]
    [InlineData("error", false, true)]
    [InlineData("no_command", true, true)]
    [InlineData("denied", true, true)]
    [InlineData("no_database", true, true)]
    public async Task A_Redis_that_the_client_uses_is_well_despite_what_the_gateway_does_not_need(string code, bool isUsed, bool isTold)
    {
        using var log = new LogLines();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        using var watch = new RedisWatch(
            "redis:6379",
            _ => Task.FromResult<RedisProblem?>(new(code, "it is not as expected", "look at it")),
            () =>
            {
                asked.TrySetResult();
                return Task.FromResult(isUsed);
            },
            static () => { },
            new CredentialMetrics(services.GetRequiredService<IMeterFactory>()),
            log.CreateLogger("watch"));

        watch.Suspect();

        if (isTold) await log.WaitForAsync(LogLevel.Warning, "it is not as expected");
        else await asked.Task.WaitAsync(Eventually.Limit, TestContext.Current.CancellationToken);
        Assert.Equal(isTold ? code : null, watch.Problem?.Code);
    }
}
