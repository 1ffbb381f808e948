using Gateway.Authentication.Keys;
using Gateway.Configuration.Loading;
using Gateway.Configuration.Snapshots;
using Gateway.Differences;
using Gateway.Routes;
using Gateway.Telemetry;

namespace Gateway.Reloading;

/// <summary>
/// Polls the configuration's files for changes and publishes a changed configuration whole or not at all. A change that fails validation or needs a
/// restart is logged once, and the last good configuration stays in effect.
/// </summary>
internal sealed partial class ConfigurationReloader : BackgroundService
{
    /// <summary>How often the files are checked.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    // The live gateway has no time to compare thousands of changed routes with each other.
    private const int MostPairs = 250_000;
    private const string UnknownHash = "unknown";

    private readonly SnapshotConfigurationProvider _snapshots;
    private readonly SnapshotRoutes _routes;
    private readonly IssuerSchemes _schemes;
    private readonly GatewayMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<ConfigurationReloader> _logger;
    private readonly SemaphoreSlim _lock = new(1);
    private ConfigurationInput _seen;
    private ConfigurationInput? _unfinished;

    public ConfigurationReloader(
        SnapshotConfigurationProvider snapshots, SnapshotRoutes routes, IssuerSchemes schemes, GatewayMetrics metrics, TimeProvider time,
        ILogger<ConfigurationReloader> logger)
    {
        (_snapshots, _routes, _schemes, _metrics, _time, _logger) = (snapshots, routes, schemes, metrics, time, logger);
        (_seen, AppliedAt, Hash) = (snapshots.Current.Input, time.GetUtcNow(), new EffectiveConfiguration(snapshots.Current).Hash());
        metrics.ConfigurationIs(Hash);
    }

    /// <summary>When the configuration in effect was read; that of the start, or of the last change that was applied.</summary>
    public DateTimeOffset AppliedAt { get; private set; }

    /// <summary>The hash of the configuration in effect. Replicas with the same hash serve the same, but for secrets.</summary>
    public string Hash { get; private set; }

    /// <summary>What the last change that was applied means, in one line; null if there was none.</summary>
    public string? LastChange { get; private set; }

    /// <summary>The last change that was refused, even if the files no longer contain it; null if there was none.</summary>
    public RefusedChange? LastRefused { get; private set; }

    /// <summary>Whether the files contain a rejected change.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>
    /// Whether it is unknown which configuration the routes are served by. It is reset when a change takes effect, unless the router no longer
    /// receives changes.
    /// </summary>
    public bool IsUncertain { get; private set; }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _metrics.Begin(_snapshots.Current, _schemes.Names);
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await CheckForChangesAsync();
            }
            catch (Exception e)
            {
                Report(e);
            }
        }
    }

    private void Report(Exception failure)
    {
        try
        {
            Log.Failed(_logger, Parts.Text(failure));
        }
        catch (Exception)
        {
            // A log provider fails. The gateway must go on without its log, and an exception here would end it.
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
        if (_seen.IsCurrent())
        {
            _unfinished = null;
            return;
        }

        var read = ConfigurationFolder.Reload(_seen);
        // If files changed while they were read, they may belong to two versions of the folder. Wait for the next check, when they are stable.
        if (!read.Input!.IsCurrent()) return;
        // A file that is still being written may not be valid JSON yet, and one that is being replaced may be absent. Wait for the next check.
        if ((read.CannotRead || read.Input.Lacks(_seen)) && _unfinished?.IsCurrent() != true)
        {
            _unfinished = read.Input;
            return;
        }

        _seen = read.Input;
        var findings = read.Findings;
        if (read.Snapshot is { } snapshot)
        {
            var inEffect = _snapshots.Current;
            var isInEffect = snapshot.HasSameContent(inEffect);
            if (isInEffect && !IsRefused && !IsUncertain) return;
            var needRestart = RestartOnly.Changes(inEffect, snapshot);
            Finding? failure = null;
            if ((isInEffect && !IsUncertain) || (needRestart.Count == 0 && (failure = await PublishAsync(snapshot)) is null))
            {
                IsRefused = false;
                if (!isInEffect) AppliedAt = _time.GetUtcNow();
                _metrics.Reloaded(isRefused: false, isApplied: !isInEffect);
                _metrics.Begin(snapshot, _schemes.Names);
                var change = Describe(inEffect, snapshot);
                if (!isInEffect) LastChange = change;
                Log.Applied(_logger, Hash, change, snapshot.Routes.Count);
                foreach (var warning in findings) Log.Warning(_logger, warning);
                return;
            }

            findings = [.. findings, .. needRestart];
            if (failure is not null) findings = [.. findings, failure];
        }

        LastRefused = new(_time.GetUtcNow(), findings);
        IsRefused = true;
        _metrics.Reloaded(isRefused: true, isApplied: false);
        Log.Refused(_logger, string.Join(Environment.NewLine, findings));
    }

    // The change is in effect already, so that a failure here must not keep it from being told.
    private string Describe(Snapshot before, Snapshot after)
    {
        var hash = UnknownHash;
        try
        {
            var effective = new EffectiveConfiguration(after);
            hash = effective.Hash();
            return ConfigurationComparison.Summary(ConfigurationComparison.Of(new EffectiveConfiguration(before), effective, MostPairs));
        }
        catch (Exception exception)
        {
            return $"what it means cannot be told: {Parts.Text(exception)}";
        }
        finally
        {
            Hash = hash;
            _metrics.ConfigurationIs(hash);
        }
    }

    /// <summary>
    /// Publishes a snapshot. Returns null, or the failure that kept it from taking effect. After a failure, the previous configuration is published
    /// again.
    /// </summary>
    private async Task<Finding?> PublishAsync(Snapshot snapshot)
    {
        var inEffect = _snapshots.Current;
        var failure = await _routes.PublishAsync(snapshot);
        var second = failure is null ? null : await _routes.PublishAsync(inEffect);
        if (second is not null) Log.Failed(_logger, Parts.Text(second));
        IsUncertain = second is not null || !_routes.ReachesRouter;
        if (IsUncertain) Log.Uncertain(_logger);
        if (failure is null) return null;
        return new(Severity.Error, "", "configuration", $"cannot be put into effect: {Parts.Text(failure)}");
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ConfigurationApplied, LogLevel.Information,
            "The configuration was changed ({Hash}): {Changes}. {Routes} routes are in effect",
            EventName = nameof(EventIds.ConfigurationApplied))]
        public static partial void Applied(ILogger logger, string hash, string changes, int routes);

        [LoggerMessage(
            EventIds.ConfigurationRefused, LogLevel.Error, "A change of the configuration is rejected, and the last valid one stays in effect:\n{Findings}",
            EventName = nameof(EventIds.ConfigurationRefused))]
        public static partial void Refused(ILogger logger, string findings);

        [LoggerMessage(EventIds.ConfigurationWarning, LogLevel.Warning, "{Finding}", EventName = nameof(EventIds.ConfigurationWarning))]
        public static partial void Warning(ILogger logger, Finding finding);

        [LoggerMessage(EventIds.ConfigurationFailed, LogLevel.Error,
            "A change of the configuration could not be put into effect, and the last valid one stays in effect: {Cause}",
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
