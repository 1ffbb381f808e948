using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Reloading;

/// <summary>Adds live reload of the configuration.</summary>
internal static class ReloadingExtensions
{
    /// <summary>The name of the configuration's hash in the data of the health check.</summary>
    public const string ConfigurationHash = "hash";

    public static void AddReloading(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ConfigurationReloader>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ConfigurationReloader>());
        builder.Services.AddHealthChecks().AddCheck<LastChangeIsUsed>("configuration");
    }

    private sealed class LastChangeIsUsed(ConfigurationReloader reloader) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
            reloader.IsUncertain
                ? HealthCheckResult.Unhealthy("The routes may be served by an earlier configuration than the files hold: restart the gateway.", data: Data)
            : reloader.IsRefused ? HealthCheckResult.Degraded("The files hold a change that is not used: the log lists the findings.", data: Data)
            : HealthCheckResult.Healthy(data: Data));

        private Dictionary<string, object> Data => new() { [ConfigurationHash] = reloader.Hash };
    }
}
