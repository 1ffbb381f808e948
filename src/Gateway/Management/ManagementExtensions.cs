using Gateway.Hosting;
using Gateway.Management.Console;
using IotCredentials.Operations;
using IotCredentials.Redis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Management;

/// <summary>Adds the listener for operators and probes.</summary>
internal static class ManagementExtensions
{
    public static void AddManagement(this WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks().AddCheck<EdgeIsOpen>("edge").AddCheck<AwsResponds>("aws").AddCheck<DirectoryResponds>("directory")
            // By a factory, because AddCheck does not accept that there is no connection.
            .Add(new("redis", static services => new RedisIsUsable(services.GetRequiredService<SharedRedis>().Connection), failureStatus: null, tags: null));
        builder.Services.AddSingleton<HealthHistory>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<HealthHistory>());
        builder.Services.AddSingleton<ConsoleRoutes>();
        builder.Services.AddSingleton<ConsoleExplanations>();
        builder.Services.AddSingleton<ConsoleClock>();
        builder.Services.AddSingleton<ConsoleStatus>();
        builder.Services.AddSingleton<ConsoleVending>();
        builder.Services.AddSingleton<ConsoleEvents>();
        builder.Services.AddSingleton<ConsoleApi>();
        builder.Services.AddSingleton<Drain>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Drain>());
        builder.Services.AddSingleton<ManagementServer>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ManagementServer>());
    }

    /// <summary>
    /// The edge is ready while it accepts requests: not while starting, and not after the stop signal, so that load balancers stop sending requests in time.
    /// </summary>
    private sealed class EdgeIsOpen(IHostApplicationLifetime lifetime) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
            lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy("draining")
            : lifetime.ApplicationStarted.IsCancellationRequested ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("starting"));
    }

    /// <summary>Degraded at most: cached credentials are still served, so callers need not be turned away.</summary>
    private sealed class AwsResponds(AwsDiagnostics aws) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
            (aws.CredentialsProblem ?? aws.StsProblem) is { } problem ? HealthCheckResult.Degraded(problem) : HealthCheckResult.Healthy());
    }

    /// <summary>Degraded at most: organizations whose place is cached are still served.</summary>
    private sealed class DirectoryResponds(DirectoryDiagnostics directory) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
            directory.Outage is { } outage ? HealthCheckResult.Degraded($"{outage.Address}: {outage.Cause}") : HealthCheckResult.Healthy());
    }

    /// <summary>Degraded at most: without Redis the gateway still serves, but replicas share nothing.</summary>
    private sealed class RedisIsUsable(RedisConnection? redis) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
            redis?.Problem is { } problem
                ? HealthCheckResult.Degraded($"{problem.At ?? redis.EndPoints}: {problem.Cause}")
                : HealthCheckResult.Healthy());
    }
}
