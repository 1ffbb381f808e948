using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace Gateway.Configuration.Snapshots;

/// <summary>The configuration folder as it was when the current snapshot was read.</summary>
internal sealed class SnapshotFiles(SnapshotConfigurationProvider snapshots) : IFileProvider
{
    /// <summary>Returns a file from the snapshot if the configuration names it, or else from disk.</summary>
    public IFileInfo GetFileInfo(string subpath)
    {
        var snapshot = snapshots.Current;
        if (TemplateFiles.NameOf(subpath.TrimStart('/')) is { } name && snapshot.Files.TryGetValue(name, out var content))
            return new PublishedFile(Path.GetFileName(name), content);
        using var disk = new PhysicalFileProvider(snapshot.Folder);
        return disk.GetFileInfo(subpath);
    }

    /// <summary>Returns the folder's content on disk.</summary>
    public IDirectoryContents GetDirectoryContents(string subpath)
    {
        using var disk = new PhysicalFileProvider(snapshots.Current.Folder);
        return disk.GetDirectoryContents(subpath);
    }

    /// <summary>Returns a token that fires when the next snapshot is published. A snapshot's files never change.</summary>
    public IChangeToken Watch(string filter) => snapshots.GetReloadToken();

    private sealed class PublishedFile(string name, ReadOnlyMemory<byte> content) : IFileInfo
    {
        public bool Exists => true;

        public bool IsDirectory => false;

        public DateTimeOffset LastModified => DateTimeOffset.UnixEpoch;

        public long Length => content.Length;

        public string Name => name;

        public string? PhysicalPath => null;

        public Stream CreateReadStream() => new MemoryStream(content.ToArray(), writable: false);
    }
}
