using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Forwarding;

/// <summary>Degraded at most: the other destinations and routes work, and every replica has the same services.</summary>
internal sealed class DestinationsAreHealthy(DestinationHealthReport report) : IHealthCheck
{
    private const int MostNamed = 10;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var unhealthy = report.Unhealthy;
        if (unhealthy.Count == 0) return Task.FromResult(HealthCheckResult.Healthy());
        var more = unhealthy.Count > MostNamed ? $"; and {unhealthy.Count - MostNamed} more" : "";
        return Task.FromResult(HealthCheckResult.Degraded(string.Join("; ", unhealthy.Take(MostNamed)) + more));
    }
}
