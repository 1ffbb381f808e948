using Gateway.LoadBalancing;
using Gateway.Telemetry;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Model;

namespace Gateway.Forwarding;

/// <summary>
/// Reports destinations that health checks take out: once when it begins, once when it is over, and by a gauge and in readiness until a check or a request has
/// succeeded. YARP's own lines are a stack trace for each probe, and none for a recovery at the level of warnings.
/// </summary>
internal sealed partial class DestinationHealthReport(
    IProxyStateLookup proxy, GatewayMetrics metrics, TimeProvider time, ILogger<DestinationHealthReport> logger) : BackgroundService
{
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);

    private volatile Dictionary<(string Cluster, string Destination), Health> _known = [];

    /// <summary>Each unhealthy destination, with why and since when, the longest first. It is listed until a check or a request has succeeded.</summary>
    public IReadOnlyList<string> Unhealthy =>
    [
        .. from known in _known
        where known.Value.IsBad
        orderby known.Value.Since
        select $"{known.Key.Cluster}/{known.Key.Destination}: unhealthy since {known.Value.Since:u} ({known.Value.Cause})",
    ];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        do Report();
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private void Report()
    {
        var (looked, before, known) = (Look().ToList(), _known, new Dictionary<(string, string), Health>());
        // During a reload, two revisions of a cluster can have the same name.
        foreach (var each in looked)
            known[(each.Cluster, each.Destination)] = each.Now.IsBad == each.Before.IsBad ? each.Now : each.Now with { Since = time.GetUtcNow() };
        _known = known;
        foreach (var each in looked)
        {
            if (each.Now.IsBad && !each.Before.IsBad) Log.Unhealthy(logger, each.Destination, each.Cluster, each.Now.Cause);
            if (each.Before.IsBad && !each.Now.IsBad) Log.Healthy(logger, each.Destination, each.Cluster, SecondsOf(each.Before));
        }

        foreach (var ((cluster, destination), health) in before)
            if (health.IsBad && !known.ContainsKey((cluster, destination))) Log.Dropped(logger, destination, cluster, SecondsOf(health));
        if (known.Count != before.Count || !known.Keys.All(before.ContainsKey))
            metrics.ObserveDestinations(() => Look().Select(static each => (each.Cluster, each.Destination, each.Now.IsBad)));
    }

    private IEnumerable<(string Cluster, string Destination, Health Before, Health Now)> Look() =>
        from cluster in proxy.GetClusters()
        let checks = cluster.Model.Config.HealthCheck
        let isActive = checks?.Active?.Enabled == true
        let isPassive = checks?.Passive?.Enabled == true
        where isActive || isPassive
        let name = WeightedCluster.NameOf(cluster.ClusterId)
        from destination in cluster.Destinations
        let before = _known.GetValueOrDefault((name, destination.Key))
        let health = destination.Value.Health
        select (name, destination.Key, before, before with
        {
            FailsChecks = isActive && IsBad(health.Active, before.FailsChecks),
            FailsRequests = isPassive && IsBad(health.Passive, before.FailsRequests),
        });

    // After ReactivationPeriod a destination is Unknown, and tried again. It is well only once a request or a check has succeeded.
    private static bool IsBad(DestinationHealth health, bool wasBad) =>
        health == DestinationHealth.Unhealthy || (wasBad && health != DestinationHealth.Healthy);

    private double SecondsOf(Health unhealthy) => Math.Max(0, (time.GetUtcNow() - unhealthy.Since).TotalSeconds);

    private readonly record struct Health(bool FailsChecks, bool FailsRequests, DateTimeOffset Since)
    {
        public bool IsBad => FailsChecks || FailsRequests;

        public string Cause => FailsChecks ? "its health check fails" : "requests to it fail";
    }

    private static partial class Log
    {
        [LoggerMessage(EventIds.DestinationUnhealthy, LogLevel.Warning, "The destination {Destination} of the cluster {Cluster} is unhealthy: {Cause}",
            EventName = nameof(EventIds.DestinationUnhealthy))]
        public static partial void Unhealthy(ILogger logger, string destination, string cluster, string cause);

        [LoggerMessage(EventIds.DestinationHealthy, LogLevel.Information,
            "The destination {Destination} of the cluster {Cluster} is healthy again, after {Seconds:F0} s", EventName = nameof(EventIds.DestinationHealthy))]
        public static partial void Healthy(ILogger logger, string destination, string cluster, double seconds);

        [LoggerMessage(EventIds.DestinationDropped, LogLevel.Information,
            "The destination {Destination} of the cluster {Cluster}, unhealthy for {Seconds:F0} s, is no longer checked: the configuration has changed",
            EventName = nameof(EventIds.DestinationDropped))]
        public static partial void Dropped(ILogger logger, string destination, string cluster, double seconds);
    }
}
