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

    public static string NewSealingKey() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    public void Write(string file, string content) => File.WriteAllText(System.IO.Path.Combine(Path, file), content);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
