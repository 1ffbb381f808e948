using Gateway.Configuration.Snapshots;
using Gateway.Recording;
using Gateway.Reloading;
using Gateway.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Gateway.Management.Console;

/// <summary>The health of dependencies, the traffic of the last minutes and the configuration in effect.</summary>
internal sealed class ConsoleStatus(
    HealthCheckService checks, HealthHistory health, ConfigurationReloader reloader, SnapshotConfigurationProvider snapshots, TrafficRecorder traffic,
    VendRecorder vends, ConsoleClock clock)
{
    private const int MostFindings = 100;

    public async Task<object> ReadAsync(CancellationToken cancellation)
    {
        var report = await checks.CheckHealthAsync(cancellation);
        var series = traffic.Series();
        return new
        {
            clock.Now,
            clock.Started,
            Version = ProductVersion.Text,
            Status = report.Status.ToString(),
            Checks = health.Observe(report),
            Configuration = Configuration(),
            Traffic = new
            {
                traffic.Since,
                RequestWindow.SlotSeconds,
                LastMinute = traffic.LastMinute(null),
                Requests = series.Select(static slot => slot.Requests),
                Refused = series.Select(static slot => slot.Refused),
                Errors = series.Select(static slot => slot.Errors),
                P50 = series.Select(static slot => slot.P50 ?? 0),
                P99 = series.Select(static slot => slot.P99 ?? 0),
            },
            Vends = vends.Outcomes(),
        };
    }

    private object Configuration()
    {
        var snapshot = snapshots.Current;
        return new
        {
            snapshot.Folder,
            reloader.AppliedAt,
            reloader.Hash,
            reloader.LastChange,
            Routes = snapshot.Routes.Count,
            Clusters = snapshot.Clusters.Count,
            Organizations = snapshot.Options.IotCredentials.Organizations.Count,
            reloader.IsRefused,
            reloader.IsUncertain,
            LastRefused = reloader.LastRefused is { } refused
                ? new { refused.Time, refused.Findings.Count, Findings = refused.Findings.Take(MostFindings).Select(static finding => finding.ToString()) }
                : null,
        };
    }
}
