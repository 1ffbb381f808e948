using Gateway.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Authentication;

/// <summary>
/// Reports degraded readiness while the introspection endpoint cannot be asked: callers with a JSON Web Token or a configured key are still served.
/// </summary>
internal sealed class IntrospectionIsReachable(IntrospectionAuthentication introspection) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        introspection.Outage is { } outage
            ? HealthCheckResult.Degraded($"{outage.Address} cannot be asked: {outage.Cause} (since {UtcTime.Seconds(outage.Since)})")
            : HealthCheckResult.Healthy());
}
