using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Testing;

/// <summary>A temporary configuration folder for one gateway, with the shipped session policies.</summary>
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

    /// <summary>Replaces a file in one step, so that a running gateway never reads half of it.</summary>
    public void Write(string file, string content)
    {
        var unfinished = System.IO.Path.Combine(Path, $"{Guid.NewGuid():N}.tmp");
        File.WriteAllText(unfinished, content);
        File.Move(unfinished, System.IO.Path.Combine(Path, file), overwrite: true);
    }

    public string Read(string file) => File.ReadAllText(System.IO.Path.Combine(Path, file));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
