using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace Gateway.Configuration;

/// <summary>The configuration folder as it was when its snapshot was read.</summary>
internal sealed class PublishedFiles(GatedConfigurationProvider gate) : IFileProvider
{
    /// <summary>A file that the configuration names, from the snapshot; any other, from the disk.</summary>
    public IFileInfo GetFileInfo(string subpath)
    {
        var snapshot = gate.Current;
        if (TemplateFiles.NameOf(subpath.TrimStart('/')) is { } name && snapshot.Files.TryGetValue(name, out var content))
            return new PublishedFile(Path.GetFileName(name), content);
        using var disk = new PhysicalFileProvider(snapshot.Folder);
        return disk.GetFileInfo(subpath);
    }

    /// <summary>The folder on the disk.</summary>
    public IDirectoryContents GetDirectoryContents(string subpath)
    {
        using var disk = new PhysicalFileProvider(gate.Current.Folder);
        return disk.GetDirectoryContents(subpath);
    }

    /// <summary>Tells of the next snapshot: between two of them no published file changes.</summary>
    public IChangeToken Watch(string filter) => gate.GetReloadToken();

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
