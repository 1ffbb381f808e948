using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Management.Console;

/// <summary>Remembers since when each dependency is as it is. The framework asks the checks, which call nothing, every few seconds.</summary>
internal sealed class HealthHistory(TimeProvider time) : IHealthCheckPublisher
{
    /// <summary>How often the checks are asked, and so how exact the times are.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (HealthStatus Status, DateTimeOffset Since)> _known = new(StringComparer.Ordinal);

    public Task PublishAsync(HealthReport report, CancellationToken cancellationToken)
    {
        Observe(report);
        return Task.CompletedTask;
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
