using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Testing;

/// <summary>A configuration folder for one gateway: a small platform with two issuers' worth of room, changed by a test as it needs.</summary>
public sealed class GatewayFolder : IDisposable
{
    public GatewayFolder(JsonObject settings)
    {
        Path = Directory.CreateTempSubdirectory("gateway-").FullName;
        Directory.CreateDirectory(System.IO.Path.Combine(Path, "policies"));
        foreach (var policy in Directory.EnumerateFiles(System.IO.Path.Combine(AppContext.BaseDirectory, "appsettings", "policies")))
            File.Copy(policy, System.IO.Path.Combine(Path, "policies", System.IO.Path.GetFileName(policy)));
        File.WriteAllText(System.IO.Path.Combine(Path, "appsettings.json"), settings.ToJsonString());
    }

    public string Path { get; }

    public static string NewSealingKey()
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        IssuedSecrets.Add(key);
        return key;
    }

    /// <summary>Writes a file in one step, as those do who change it under a gateway that reads it.</summary>
    public void Write(string file, string content)
    {
        var unfinished = System.IO.Path.Combine(Path, $"{Guid.NewGuid():N}.tmp");
        File.WriteAllText(unfinished, content);
        File.Move(unfinished, System.IO.Path.Combine(Path, file), overwrite: true);
    }

    public string Read(string file) => File.ReadAllText(System.IO.Path.Combine(Path, file));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
