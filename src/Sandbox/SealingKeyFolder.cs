using System.Security.Cryptography;

namespace Sandbox;

/// <summary>A folder with a new sealing key. It is deleted when the sandbox ends, because its Redis is gone by then, too.</summary>
internal sealed class SealingKeyFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sandbox-keys-");

    public SealingKeyFolder() => File.WriteAllText(KeyPath, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));

    public string KeyPath => Path.Combine(_folder.FullName, "sealing-keys");

    public void Dispose() => _folder.Delete(recursive: true);
}
