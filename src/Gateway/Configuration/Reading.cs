using System.Security.Cryptography;

namespace Gateway.Configuration;

/// <summary>
/// One reading of the configuration: from which folder, and what its files held. Files are told apart by their content, since a mounted
/// ConfigMap changes by the swap of a symbolic link, of which no watcher of files learns.
/// </summary>
internal sealed class Reading(string folder, IReadOnlyList<string> arguments, string environmentName, IReadOnlyDictionary<string, string?> variables)
{
    // Null where there was no file that could be read.
    private readonly Dictionary<string, byte[]?> digests = new(StringComparer.Ordinal);

    /// <summary>The folder's full path.</summary>
    public string Folder => folder;

    /// <summary>The command line's keys.</summary>
    public IReadOnlyList<string> Arguments => arguments;

    /// <summary>The environment, as in <c>appsettings.{Environment}.json</c>.</summary>
    public string EnvironmentName => environmentName;

    /// <summary>The process's environment variables.</summary>
    public IReadOnlyDictionary<string, string?> Variables => variables;

    /// <summary>Whether this reading follows an earlier one, whose configuration is in force.</summary>
    public bool IsAgain { get; private init; }

    /// <summary>A file of the folder, or null and what was in the way.</summary>
    public byte[]? Read(string name, out string problem)
    {
        var content = FileContent.Read(Path.Combine(folder, name), out problem);
        digests[name] = content is null ? null : SHA256.HashData(content);
        return content;
    }

    /// <summary>Whether each file still holds what it held when it was read.</summary>
    public bool IsCurrent() => digests.All(read =>
        FileContent.Read(Path.Combine(folder, read.Key), out _) is { } content ? read.Value is not null && SHA256.HashData(content).AsSpan().SequenceEqual(read.Value) : read.Value is null);

    /// <summary>Reads the same folder anew, never another one that might have become the default.</summary>
    public LoadResult Again() => ConfigurationFolder.Load(new Reading(folder, arguments, environmentName, variables) { IsAgain = true }, new FindingList());
}
