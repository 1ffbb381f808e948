using System.Diagnostics.Metrics;
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
}
