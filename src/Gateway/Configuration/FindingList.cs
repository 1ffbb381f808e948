namespace Gateway.Configuration;

/// <summary>The findings of one load of the configuration.</summary>
internal sealed class FindingList
{
    private readonly List<Finding> _findings = [];

    // Every parent path of an error is included, because HasErrorAt is called for thousands of keys.
    private readonly HashSet<string> _pathsWithErrors = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether any finding is an error, which rejects the configuration.</summary>
    public bool HasErrors => _findings.Exists(finding => finding.Severity == Severity.Error);

    /// <summary>Whether something could not be read.</summary>
    public bool CannotRead { get; private set; }

    /// <summary>The keys of all errors.</summary>
    public IEnumerable<string> KeysWithErrors => _findings.Where(finding => finding.Severity == Severity.Error).Select(finding => finding.Key);

    /// <summary>Adds an error.</summary>
    public void Error(string key, string source, string message)
    {
        _findings.Add(new(Severity.Error, key, source, message));
        for (var path = key; path.Length > 0 && _pathsWithErrors.Add(path);) path = path[..Math.Max(path.LastIndexOf(':'), 0)];
    }

    /// <summary>Whether there is an error at a key, or at a key below it.</summary>
    public bool HasErrorAt(string key) => _pathsWithErrors.Contains(key);

    /// <summary>Adds a warning.</summary>
    public void Warning(string key, string source, string message) => _findings.Add(new(Severity.Warning, key, source, message));

    /// <summary>Adds an error about a source that could not be read, as opposed to one with wrong content.</summary>
    public void Unreadable(string source, string message)
    {
        CannotRead = true;
        Error("", source, message);
    }

    /// <summary>Returns all distinct findings, ordered by key.</summary>
    public IReadOnlyList<Finding> ToOrdered() =>
        [.. _findings.Distinct()
            .OrderBy(finding => finding.Key, StringComparer.Ordinal)
            .ThenBy(finding => finding.Source, StringComparer.Ordinal)
            .ThenBy(finding => finding.Message, StringComparer.Ordinal)];
}
