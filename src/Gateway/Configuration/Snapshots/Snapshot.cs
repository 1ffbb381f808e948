using Gateway.Configuration.Tree;
using IotCredentials.Profiles;
using Yarp.ReverseProxy.Configuration;

namespace Gateway.Configuration.Snapshots;

/// <summary>A configuration that was loaded and validated as a whole. It is immutable.</summary>
internal sealed record Snapshot
{
    /// <summary>The file that every configuration folder must have.</summary>
    public const string MainFile = "appsettings.json";

    /// <summary>The gateway's own sections.</summary>
    public required GatewayOptions Options { get; init; }

    /// <summary>The routes of <c>ReverseProxy</c>, as YARP reads them.</summary>
    public required IReadOnlyList<RouteConfig> Routes { get; init; }

    /// <summary>The clusters of <c>ReverseProxy</c>, as YARP reads them.</summary>
    public required IReadOnlyList<ClusterConfig> Clusters { get; init; }

    /// <summary>The section of the API keys, as it was written.</summary>
    public required Node ApiKeys { get; init; }

    /// <summary>Every value but the API keys by its key, as <c>IConfiguration</c> shows it.</summary>
    public required IReadOnlyDictionary<string, string?> Values { get; init; }

    /// <summary>
    /// The source of each of <see cref="Values"/>, and of each section and list above it: a file and line, a variable, or the command line.
    /// </summary>
    public required IReadOnlyDictionary<string, string> Sources { get; init; }

    /// <summary>The input that the configuration was loaded from.</summary>
    public required ConfigurationInput Input { get; init; }

    /// <summary>The configuration folder's full path.</summary>
    public string Folder => Input.Folder;

    /// <summary>The section <c>IotCredentials</c> as the module reads it. Null when the section is invalid.</summary>
    public required ProfileSet? Profiles { get; init; }

    /// <summary>
    /// The content of the files that the configuration names, by their path below <see cref="Folder"/> with <c>/</c> between
    /// names.
    /// </summary>
    public required IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; init; }

    /// <summary>Whether another configuration has the same values and files, even if its files are written differently.</summary>
    public bool HasSameContent(Snapshot other) =>
        Values.Count == other.Values.Count && Options.Authentication.HasSameKeys(other.Options.Authentication) && Files.Count == other.Files.Count
        && Values.All(value => other.Values.TryGetValue(value.Key, out var text) && text == value.Value)
        && Files.All(file => other.Files.TryGetValue(file.Key, out var content) && content.Span.SequenceEqual(file.Value.Span));

    /// <summary>
    /// Returns the source of a key. If the key is not set, returns the source of the nearest section above it, or else the main file.
    /// </summary>
    public string SourceOf(string key)
    {
        if (key.StartsWith(KeyPath.ApiKeys + ":", StringComparison.OrdinalIgnoreCase)) return ApiKeys.Nearest(key[(KeyPath.ApiKeys.Length + 1)..]).Source;
        for (var path = key; path.Length > 0; path = path[..Math.Max(path.LastIndexOf(':'), 0)])
            if (Sources.TryGetValue(path, out var source)) return source;
        return MainFile;
    }
}
