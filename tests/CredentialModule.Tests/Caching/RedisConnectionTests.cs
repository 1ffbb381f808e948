using System.Diagnostics.Metrics;
using IotCredentials.Redis;
using IotCredentials.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sandbox;
using Testing;
using Xunit;

namespace IotCredentials.Tests.Caching;

public sealed class RedisConnectionTests
{
    [Fact]
    public async Task RunAsync_WhenItsCommandTimesOutAndOthersSucceed_Ends()
    {
        await using var redis = await EmbeddedRedis.StartAsync();
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new CredentialMetrics(services.GetRequiredService<IMeterFactory>());
        var options = Options.Create(new IotCredentialsOptions { Timeout = TimeSpan.FromSeconds(1) });
        await using var connection = new RedisConnection(
            redis.ConnectionString, options, metrics, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        await connection.GetAsync();
        using var end = new CancellationTokenSource();
        var others = Task.Run(async () =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
            while (await timer.WaitForNextTickAsync(CancellationToken.None) && !end.IsCancellationRequested)
                await connection.RunAsync("other", _ => Task.FromResult<object?>("success"));
        });
        try
        {
            Assert.Null(await connection.RunAsync("slow", _ => new TaskCompletionSource<object?>().Task).WaitAsync(Eventually.Limit));
        }
        finally
        {
            await end.CancelAsync();
            await others;
        }
    }

    [Fact]
    public async Task DisposeAsync_WhileAnotherOwnerDisposesOfTheSameClient_EndsWell()
    {
        await using var redis = await EmbeddedRedis.StartAsync();
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new CredentialMetrics(services.GetRequiredService<IMeterFactory>());

        // RedisCache disposes of the client that it was given, on any thread. The client fails when two do it at once.
        for (var i = 0; i < 100; i++)
        {
            var connection = new RedisConnection(
                redis.ConnectionString, Options.Create(new IotCredentialsOptions()), metrics, TimeProvider.System, NullLogger<RedisConnection>.Instance);
            var client = await connection.GetAsync();
            var other = Task.Run(() =>
            {
                try
                {
                    client.Dispose();
                }
                catch (Exception)
                {
                    // The other owner's failure is not this one's.
                }
            });
            await connection.DisposeAsync();
            await other;
        }
    }
}
