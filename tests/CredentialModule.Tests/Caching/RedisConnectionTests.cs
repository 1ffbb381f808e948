using System.Diagnostics.Metrics;
using IotCredentials.Caching;
using IotCredentials.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Sandbox;
using Xunit;

namespace IotCredentials.Tests.Caching;

public sealed class RedisConnectionTests
{
    [Fact]
    public async Task DisposeAsync_WhileTheBackplaneDisposesOfTheSameClient_EndsWell()
    {
        await using var redis = await EmbeddedRedis.StartAsync();
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new CredentialMetrics(services.GetRequiredService<IMeterFactory>());

        // The backplane of FusionCache disposes of the client as well, on another thread. The client fails when two do it at once.
        for (var i = 0; i < 100; i++)
        {
            var connection = new RedisConnection(
                redis.ConnectionString, Options.Create(new IotCredentialsOptions()), metrics, TimeProvider.System, NullLogger<RedisConnection>.Instance);
            var client = await connection.GetAsync();
            var backplane = Task.Run(() =>
            {
                try
                {
                    client.Dispose();
                }
                catch (Exception)
                {
                    // FusionCache logs it, if at all.
                }
            });
            await connection.DisposeAsync();
            await backplane;
        }
    }
}
