using CredentialModule.Policies;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>What rules look at, and where they say what they find.</summary>
internal sealed class RuleContext(Snapshot snapshot, FindingList findings)
{
    // A second's worth: where thousands of names are missing among thousands, finding the nearest of each would take minutes.
    private const int MostComparisons = 1_000_000;
    private long comparisons;

    // Of a key that does not even have its type, a rule would judge the default.
    private readonly HashSet<string> judged = new(findings.KeysWithErrors, StringComparer.OrdinalIgnoreCase);

    /// <summary>The gateway's own sections.</summary>
    public GatewayOptions Options => snapshot.Options;

    /// <summary>The routes.</summary>
    public IReadOnlyList<RouteConfig> Routes => snapshot.Routes;

    /// <summary>The clusters.</summary>
    public IReadOnlyList<ClusterConfig> Clusters => snapshot.Clusters;

    /// <summary>All that was read.</summary>
    public Snapshot Snapshot => snapshot;

    /// <summary>Whether something was found to be an error at a key, or at one below it.</summary>
    public bool HasErrorAt(string key) => findings.HasErrorAt(key);

    /// <summary>Adds an error: a name that is none of those that a section has.</summary>
    public void Missing(string key, string name, string section, IReadOnlyCollection<string> names, string otherwise = "")
    {
        comparisons += names.Count;
        var isNear = comparisons <= MostComparisons && NearestName.Of(name, names) is not null;
        var advice = comparisons <= MostComparisons ? " " + NearestName.Advice(name, names) : "";
        Error(key, $"is {Finding.Quote(name)}, and {section} has no such name.{advice}{(isNear || otherwise.Length == 0 ? "" : " " + otherwise)}");
    }

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
