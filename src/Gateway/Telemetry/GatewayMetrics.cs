using System.Diagnostics.Metrics;

namespace Gateway.Telemetry;

/// <summary>What an operator sees of the edge itself: the meter <c>Gateway</c>.</summary>
internal sealed class GatewayMetrics
{
    public const string MeterName = "Gateway";

    private readonly Counter<long> _fallbacks;
    private readonly Counter<long> _dropped;

    public GatewayMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _fallbacks = meter.CreateCounter<long>(
            "gateway.rate_limit.fallbacks", "{request}", "Requests whose limit in Redis could not be asked and that this replica counted for itself.");
        _dropped = meter.CreateCounter<long>("gateway.access_log.dropped", "{line}", "Lines of the access log that were not written.");
    }

    public void LimitFellBack(string policy) => _fallbacks.Add(1, new KeyValuePair<string, object?>("policy", policy));

    public void AccessLineDropped() => _dropped.Add(1);
}
