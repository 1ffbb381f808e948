using System.Diagnostics.Metrics;

namespace Gateway.Reloading;

/// <summary>What an operator sees of reloads: part of the meter <c>Gateway</c>.</summary>
internal sealed class ReloadMetrics
{
    private readonly Counter<long> _reloads;
    private volatile bool _refused;

    public ReloadMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Telemetry.Telemetry.MeterName);
        _reloads = meter.CreateCounter<long>("gateway.configuration.reloads", "{reload}", "Changes of the configuration, by whether they were applied or refused.");
        meter.CreateObservableGauge("gateway.configuration.refused", () => _refused ? 1 : 0, description: "1 while the files hold a change that is not used.");
    }

    public void Applied() => Count("applied", refused: false);

    public void Refused() => Count("refused", refused: true);

    private void Count(string outcome, bool refused)
    {
        _refused = refused;
        _reloads.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
    }
}
