using CredentialModule.Profiles;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration;

/// <summary>A configuration that was read and validated as a whole. Never changes.</summary>
internal sealed record Snapshot
{
    /// <summary>The gateway's own sections.</summary>
    public required GatewayOptions Options { get; init; }

    /// <summary>The routes of <c>ReverseProxy</c>, as YARP reads them.</summary>
    public required IReadOnlyList<RouteConfig> Routes { get; init; }

    /// <summary>The clusters of <c>ReverseProxy</c>, as YARP reads them.</summary>
    public required IReadOnlyList<ClusterConfig> Clusters { get; init; }

    /// <summary>Every value by its key, as <c>IConfiguration</c> shows it.</summary>
    public required IReadOnlyDictionary<string, string?> Values { get; init; }

    /// <summary>Where each of <see cref="Values"/>, and each section and list above it, was said: a file and line, a variable or the command line.</summary>
    public required IReadOnlyDictionary<string, string> Sources { get; init; }

    /// <summary>What was read, and from where.</summary>
    public required Reading Reading { get; init; }

    /// <summary>The configuration folder's full path.</summary>
    public string Folder => Reading.Folder;

    /// <summary>The section <c>IotCredentials</c> as the module read it; null while it cannot be used.</summary>
    public required ProfileBook? Profiles { get; init; }

    /// <summary>
    /// The content of the files that the configuration names, by their path below <see cref="Folder"/> with <c>/</c> between
    /// names.
    /// </summary>
    public required IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; init; }

    /// <summary>Whether another configuration says the same, however its files are written.</summary>
    public bool SaysTheSameAs(Snapshot other) =>
        Values.Count == other.Values.Count && Files.Count == other.Files.Count
        && Values.All(value => other.Values.TryGetValue(value.Key, out var text) && text == value.Value)
        && Files.All(file => other.Files.TryGetValue(file.Key, out var content) && content.Span.SequenceEqual(file.Value.Span));

    /// <summary>Where a key was said; of one that was not, where its section was, or else the file that it belongs in.</summary>
    public string SourceOf(string key)
    {
        for (var path = key; path.Length > 0; path = path[..Math.Max(path.LastIndexOf(':'), 0)])
            if (Sources.TryGetValue(path, out var source)) return source;
        return ConfigurationFolder.MainFile;
    }
}

/// <summary>What reading the configuration came to.</summary>
/// <param name="Snapshot">The configuration, unless a finding is an error.</param>
/// <param name="Findings">All that was found, ordered by key.</param>
/// <param name="CannotRead">Whether something could not be read, as opposed to being wrong.</param>
/// <param name="Reading">What was read; null when there is no folder to read.</param>
internal sealed record LoadResult(Snapshot? Snapshot, IReadOnlyList<Finding> Findings, bool CannotRead, Reading? Reading)
{
    /// <summary>The layers that were looked for, the lowest first; of those that could not be read there is a finding.</summary>
    public IReadOnlyList<LayerRow> Layers { get; init; } = [];
}
