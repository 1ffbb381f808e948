using Gateway.Configuration.Loading;
using Gateway.Configuration.Snapshots;
using Gateway.Routes;
using Gateway.Telemetry;

namespace Gateway.Reloading;

/// <summary>
/// Polls the configuration's files for changes and publishes a changed configuration whole or not at all. A change that fails validation or needs a
/// restart is logged once, and the last good configuration stays in effect.
/// </summary>
internal sealed partial class ConfigurationReloader(
    SnapshotConfigurationProvider snapshots, SnapshotRoutes routes, GatewayMetrics metrics, TimeProvider time, ILogger<ConfigurationReloader> logger)
    : BackgroundService
{
    /// <summary>How often the files are checked.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly SemaphoreSlim _lock = new(1);
    private ConfigurationInput _seen = snapshots.Current.Input;
    private ConfigurationInput? _unreadable;

    /// <summary>When the configuration in effect was read; that of the start, or of the last change that was applied.</summary>
    public DateTimeOffset AppliedAt { get; private set; } = time.GetUtcNow();

    /// <summary>The last change that was refused, even if the files no longer contain it; null if there was none.</summary>
    public RefusedChange? LastRefused { get; private set; }

    /// <summary>Whether the files contain a rejected change.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>
    /// Whether it is unknown which configuration the routes are served by. It is reset when a change takes effect, unless the router no longer
    /// receives changes.
    /// </summary>
    public bool IsUncertain { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await CheckForChangesAsync();
            }
            catch (Exception e)
            {
                Log.Failed(logger, Parts.Text(e));
            }
        }
    }

    /// <summary>Checks the files once.</summary>
    public async Task CheckForChangesAsync()
    {
        await _lock.WaitAsync();
        try
        {
            await CheckOnceAsync();
        }
        finally
        {
            _lock.Release();
        }
    }

    private async Task CheckOnceAsync()
    {
        if (_seen.IsCurrent()) return;
        var read = ConfigurationFolder.Reload(_seen);
        // If files changed while they were read, they may belong to two versions of the folder. Wait for the next check, when they are stable.
        if (!read.Input!.IsCurrent()) return;
        // A file that is still being written may not be valid JSON yet. Wait for the next check.
        if (read.CannotRead && _unreadable?.IsCurrent() != true)
        {
            _unreadable = read.Input;
            return;
        }

        _seen = read.Input;
        var findings = read.Findings;
        if (read.Snapshot is { } snapshot)
        {
            var isInEffect = snapshot.HasSameContent(snapshots.Current);
            if (isInEffect && !IsRefused && !IsUncertain) return;
            var needRestart = RestartOnly.Changes(snapshots.Current, snapshot);
            Finding? failure = null;
            if ((isInEffect && !IsUncertain) || (needRestart.Count == 0 && (failure = await PublishAsync(snapshot)) is null))
            {
                IsRefused = false;
                if (!isInEffect) AppliedAt = time.GetUtcNow();
                metrics.Reloaded(isRefused: false, isApplied: !isInEffect);
                Log.Applied(logger, snapshot.Routes.Count);
                foreach (var warning in findings) Log.Warning(logger, warning);
                return;
            }

            findings = [.. findings, .. needRestart];
            if (failure is not null) findings = [.. findings, failure];
        }

        LastRefused = new(time.GetUtcNow(), findings);
        IsRefused = true;
        metrics.Reloaded(isRefused: true, isApplied: false);
        Log.Refused(logger, string.Join(Environment.NewLine, findings));
    }

    /// <summary>
    /// Publishes a snapshot. Returns null, or the failure that kept it from taking effect. After a failure, the previous configuration is published
    /// again.
    /// </summary>
    private async Task<Finding?> PublishAsync(Snapshot snapshot)
    {
        var inEffect = snapshots.Current;
        var failure = await routes.PublishAsync(snapshot);
        var second = failure is null ? null : await routes.PublishAsync(inEffect);
        if (second is not null) Log.Failed(logger, Parts.Text(second));
        IsUncertain = second is not null || !routes.ReachesRouter;
        if (IsUncertain) Log.Uncertain(logger);
        if (failure is null) return null;
        return new(Severity.Error, "", "configuration", $"cannot be put into effect: {Parts.Text(failure)}");
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ConfigurationApplied, LogLevel.Information, "The configuration was changed: {Routes} routes are in effect",
            EventName = nameof(EventIds.ConfigurationApplied))]
        public static partial void Applied(ILogger logger, int routes);

        [LoggerMessage(EventIds.ConfigurationRefused, LogLevel.Error, "A change of the configuration is refused, and the last good one serves on:\n{Findings}",
            EventName = nameof(EventIds.ConfigurationRefused))]
        public static partial void Refused(ILogger logger, string findings);

        [LoggerMessage(EventIds.ConfigurationWarning, LogLevel.Warning, "{Finding}", EventName = nameof(EventIds.ConfigurationWarning))]
        public static partial void Warning(ILogger logger, Finding finding);

        [LoggerMessage(EventIds.ConfigurationFailed, LogLevel.Error,
            "A change of the configuration could not be put into effect, and the last good one serves on: {Cause}",
            EventName = nameof(EventIds.ConfigurationFailed))]
        public static partial void Failed(ILogger logger, string cause);

        [LoggerMessage(EventIds.ConfigurationUncertain, LogLevel.Critical,
            "The routes may be served by an earlier configuration than the files hold: restart the gateway",
            EventName = nameof(EventIds.ConfigurationUncertain))]
        public static partial void Uncertain(ILogger logger);
    }
}

/// <summary>A change of the configuration that was not used, and why.</summary>
internal sealed record RefusedChange(DateTimeOffset Time, IReadOnlyList<Finding> Findings);
