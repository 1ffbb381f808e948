using Gateway.Configuration.Snapshots;
using IotCredentials.Failures;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Rules;

/// <summary>The input of the rules, and the findings that they add.</summary>
internal sealed class RuleContext(Snapshot snapshot, FindingList findings)
{
    // The limit is about one second of work. If thousands of names are missing in a section of thousands, finding the nearest name for each would
    // take minutes.
    private const int MostComparisons = 1_000_000;
    private long _comparisons;

    // If a key's value failed schema validation, a rule would judge its default, so rules add no finding for it.
    private readonly HashSet<string> _judged = new(findings.KeysWithErrors, StringComparer.OrdinalIgnoreCase);

    /// <summary>The gateway's own sections.</summary>
    public GatewayOptions Options => snapshot.Options;

    /// <summary>The form of organization ids; null when it is not valid.</summary>
    public OrganizationIdFormat? OrganizationIds { get; } = OrganizationIdFormat.TryCreate(snapshot.Options.IotCredentials.OrganizationId, out _);

    public IReadOnlyList<RouteConfig> Routes => snapshot.Routes;

    public IReadOnlyList<ClusterConfig> Clusters => snapshot.Clusters;

    /// <summary>The whole configuration.</summary>
    public Snapshot Snapshot => snapshot;

    /// <summary>Whether there is an error at a key, or at a key below it.</summary>
    public bool HasErrorAt(string key) => findings.HasErrorAt(key);

    /// <summary>Adds an error for a name that a section does not have.</summary>
    public void Missing(string key, string name, string section, IReadOnlyCollection<string> names, string otherwise = "")
    {
        _comparisons += names.Count;
        var isNear = _comparisons <= MostComparisons && NearestName.Of(name, names) is not null;
        var advice = _comparisons <= MostComparisons ? " " + NearestName.Advice(name, names) : "";
        Error(key, $"is {Finding.Quote(name)}, and {section} has no such name.{advice}{(isNear || otherwise.Length == 0 ? "" : " " + otherwise)}");
    }

    /// <summary>Adds an error. Its source is that of the key, or of another key because of which this one is required.</summary>
    public void Error(string key, string message, string? because = null)
    {
        if (!_judged.Contains(key)) findings.Error(key, snapshot.SourceOf(because ?? key), message);
    }

    /// <summary>Adds a warning.</summary>
    public void Warning(string key, string message)
    {
        if (!_judged.Contains(key)) findings.Warning(key, snapshot.SourceOf(key), message);
    }
}
