using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Management.Console;

/// <summary>
/// Remembers since when each dependency is as it is: asks the checks, which call nothing, every few seconds. The framework's publisher of health checks would do
/// the same, but its timer outlives a host that is disposed without a stop.
/// </summary>
internal sealed class HealthHistory(HealthCheckService checks, TimeProvider time) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (HealthStatus Status, DateTimeOffset Since)> _known = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        do
        {
            try
            {
                Observe(await checks.CheckHealthAsync(stoppingToken));
            }
            catch (Exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Readiness says what fails. Only a time in the console is missing.
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>The checks of a report, each with the time since when it has had that status. No check was asked before the start.</summary>
    public IReadOnlyList<DependencyHealth> Observe(HealthReport report)
    {
        var now = time.GetUtcNow();
        lock (_lock)
        {
            return [.. report.Entries.OrderBy(static entry => entry.Key, StringComparer.Ordinal).Select(entry =>
            {
                if (!_known.TryGetValue(entry.Key, out var known) || known.Status != entry.Value.Status) _known[entry.Key] = known = (entry.Value.Status, now);
                // If a check throws, the framework uses the exception's text as its description, which may hold anything.
                return new DependencyHealth(
                    entry.Key, entry.Value.Status.ToString(), entry.Value.Exception is null ? entry.Value.Description : "the check failed", known.Since);
            })];
        }
    }
}

/// <summary>A dependency of the gateway.</summary>
internal sealed record DependencyHealth(string Name, string Status, string? Description, DateTimeOffset Since);
