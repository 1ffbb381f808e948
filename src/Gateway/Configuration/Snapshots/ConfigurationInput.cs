using System.Security.Cryptography;

namespace Gateway.Configuration.Snapshots;

/// <summary>
/// The input of one configuration load: the folder, and digests of its files. Files are compared by content, because a mounted ConfigMap changes by
/// replacing a symbolic link, which file watchers do not notice.
/// </summary>
internal sealed class ConfigurationInput(string folder, IReadOnlyList<string> arguments, string environmentName, IReadOnlyDictionary<string, string?> variables)
{
    // The digest is null if the file could not be read.
    private readonly Dictionary<string, byte[]?> _digests = new(StringComparer.Ordinal);

    /// <summary>The folder's full path.</summary>
    public string Folder => folder;

    /// <summary>The name of the file that the folder must have.</summary>
    public string MainFile { get; init; } = Snapshot.MainFile;

    /// <summary>The command line's keys.</summary>
    public IReadOnlyList<string> Arguments => arguments;

    /// <summary>The environment, as in <c>appsettings.{Environment}.json</c>.</summary>
    public string EnvironmentName => environmentName;

    /// <summary>The process's environment variables.</summary>
    public IReadOnlyDictionary<string, string?> Variables => variables;

    /// <summary>Whether this is a reload, with an earlier configuration in effect.</summary>
    public bool IsReload { get; init; }

    /// <summary>Returns the content of a file in the folder, or null and the problem that prevented reading it.</summary>
    public byte[]? Read(string name, out string problem)
    {
        var content = FileContent.Read(Path.Combine(folder, name), out problem);
        _digests[name] = content is null ? null : SHA256.HashData(content);
        return content;
    }

    /// <summary>Whether a file that could be read before cannot be read now.</summary>
    public bool Lacks(ConfigurationInput before) => _digests.Any(read => read.Value is null && before._digests.GetValueOrDefault(read.Key) is not null);

    /// <summary>Whether each file still has the content that it had when it was read.</summary>
    public bool IsCurrent() => _digests.All(read =>
        FileContent.Digest(Path.Combine(folder, read.Key)) is { } digest
            ? read.Value is not null && digest.AsSpan().SequenceEqual(read.Value)
            : read.Value is null);
}
