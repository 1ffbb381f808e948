using Gateway.Configuration;
using Gateway.Configuration.DryRun;
using Gateway.Routes;
using Gateway.Telemetry;

namespace Gateway.Reloading;

/// <summary>
/// Looks for a change of the configuration's files and publishes it whole, or not at all: what does not validate, or takes a restart, is told
/// once and leaves the last good configuration in force.
/// </summary>
internal sealed partial class ConfigurationReloader(
    GatedConfigurationProvider gate, PublishedRoutes routes, GatewayMetrics metrics, TimeProvider time, ILogger<ConfigurationReloader> logger) : BackgroundService
{
    /// <summary>How often files are looked at.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly SemaphoreSlim _turn = new(1);
    private Reading _seen = gate.Current.Reading;
    private Reading? _unreadable;

    /// <summary>Whether the files hold a change that is not used.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Whether it is not known which configuration the routes are served by. A change that is put in force ends it, unless nothing reaches the router any more.</summary>
    public bool IsUncertain { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                await LookAsync();
            }
            catch (Exception e)
            {
                Log.Failed(logger, Parts.Text(e));
            }
        }
    }

    /// <summary>Looks at the files once.</summary>
    public async Task LookAsync()
    {
        await _turn.WaitAsync();
        try
        {
            await LookInTurnAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task LookInTurnAsync()
    {
        if (_seen.IsCurrent()) return;
        var read = _seen.Again();
        // Files that changed while they were read may belong to two versions of the folder: the next look finds them at rest.
        if (!read.Reading!.IsCurrent()) return;
        // A file that is being written is no JSON yet: it gets until the next look.
        if (read.CannotRead && _unreadable?.IsCurrent() != true)
        {
            _unreadable = read.Reading;
            return;
        }

        _seen = read.Reading;
        var findings = read.Findings;
        if (read.Snapshot is { } snapshot)
        {
            var isInForce = snapshot.SaysTheSameAs(gate.Current);
            if (isInForce && !IsRefused && !IsUncertain) return;
            var needRestart = RestartOnly.Changes(gate.Current, snapshot);
            Finding? failure = null;
            if ((isInForce && !IsUncertain) || (needRestart.Count == 0 && (failure = await PublishAsync(snapshot)) is null))
            {
                IsRefused = false;
                metrics.Reloaded(isRefused: false);
                Log.Applied(logger, snapshot.Routes.Count);
                foreach (var warning in findings) Log.Warning(logger, warning);
                return;
            }

            findings = [.. findings, .. needRestart];
            if (failure is not null) findings = [.. findings, failure];
        }

        IsRefused = true;
        metrics.Reloaded(isRefused: true);
        Log.Refused(logger, string.Join(Environment.NewLine, findings));
    }

    /// <summary>Null, or what kept the configuration from being put in force; then the one before it is again.</summary>
    private async Task<Finding?> PublishAsync(Snapshot snapshot)
    {
        var inForce = gate.Current;
        var failure = await routes.PublishAsync(snapshot);
        var second = failure is null ? null : await routes.PublishAsync(inForce);
        if (second is not null) Log.Failed(logger, Parts.Text(second));
        IsUncertain = second is not null || !routes.ReachesRouter;
        if (IsUncertain) Log.Uncertain(logger);
        if (failure is null) return null;
        return new(Severity.Error, "", "configuration", $"cannot be put in force: {Parts.Text(failure)}");
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.ConfigurationApplied, LogLevel.Information, "The configuration was changed: {Routes} routes are in force")]
        public static partial void Applied(ILogger logger, int routes);

        [LoggerMessage(EventIds.ConfigurationRefused, LogLevel.Error, "A change of the configuration is refused, and the last good one serves on:\n{Findings}")]
        public static partial void Refused(ILogger logger, string findings);

        [LoggerMessage(EventIds.ConfigurationWarning, LogLevel.Warning, "{Finding}")]
        public static partial void Warning(ILogger logger, Finding finding);

        [LoggerMessage(EventIds.ConfigurationFailed, LogLevel.Error, "A change of the configuration could not be put in force, and the last good one serves on: {Cause}")]
        public static partial void Failed(ILogger logger, string cause);

        [LoggerMessage(EventIds.ConfigurationUncertain, LogLevel.Critical, "The routes may be served by an earlier configuration than the files hold: restart the gateway")]
        public static partial void Uncertain(ILogger logger);
    }
}
