using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>What rules look at, and where they say what they find.</summary>
internal sealed class RuleContext(Snapshot snapshot, FindingList findings)
{
    // Of a key that does not even have its type, a rule would judge the default.
    private readonly HashSet<string> judged = new(findings.Keys, StringComparer.OrdinalIgnoreCase);

    /// <summary>The gateway's own sections.</summary>
    public GatewayOptions Options => snapshot.Options;

    /// <summary>The routes.</summary>
    public IReadOnlyList<RouteConfig> Routes => snapshot.Routes;

    /// <summary>The clusters.</summary>
    public IReadOnlyList<ClusterConfig> Clusters => snapshot.Clusters;

    /// <summary>All that was read.</summary>
    public Snapshot Snapshot => snapshot;

    /// <summary>Adds an error.</summary>
    public void Error(string key, string message)
    {
        if (!judged.Contains(key)) findings.Error(key, snapshot.SourceOf(key), message);
    }

    /// <summary>Adds a warning.</summary>
    public void Warning(string key, string message)
    {
        if (!judged.Contains(key)) findings.Warning(key, snapshot.SourceOf(key), message);
    }
}
