using System.Security.Cryptography;

namespace Sandbox;

/// <summary>A folder for the gateway's secrets, which are files: a new sealing key, and the client's secret for introspection. Deleted when disposed.</summary>
internal sealed class SecretFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sandbox-");

    public SecretFolder(string introspectionSecret)
    {
        File.WriteAllText(KeyPath, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        File.WriteAllText(IntrospectionSecretPath, introspectionSecret);
    }

    public string KeyPath => Path.Combine(_folder.FullName, "sealing-keys");

    public string IntrospectionSecretPath => Path.Combine(_folder.FullName, "introspection");

    public void Dispose() => _folder.Delete(recursive: true);
}
