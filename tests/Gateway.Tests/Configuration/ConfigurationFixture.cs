using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Gateway.Configuration.Loading;
using Gateway.Configuration.Snapshots;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A configuration folder in a temporary place, which begins with the whole example of the documentation.</summary>
internal sealed class ConfigurationFixture : IDisposable
{
    /// <summary>The template as it is written at first.</summary>
    public const string Policy = """
        {
          "Version": "2012-10-17",
          "Statement": [{ "Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:{partition}:iot:{region}:{accountId}:client/{organizationId}:*" }]
        }
        """;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("gateway-configuration-");

    public ConfigurationFixture()
    {
        Write("appsettings.json", Example.Json);
        Write("policies/organization.json", Policy);
        Write("sealing-keys", Convert.ToBase64String(new byte[32]) + "\n" + Convert.ToBase64String(new byte[32]) + "\n");
    }

    public string Folder => _folder.FullName;

    public Dictionary<string, string?> Variables { get; } = [];

    public List<string> Arguments { get; } = [];

    public void Dispose() => _folder.Delete(recursive: true);

    public void Write(string name, string content)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    /// <summary>Writes a certificate for servers, <c>a.crt</c>, and its key, <c>a.key</c>.</summary>
    public ConfigurationFixture WriteCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(400));
        Write("a.crt", certificate.ExportCertificatePem());
        Write("a.key", key.ExportPkcs8PrivateKeyPem());
        return this;
    }

    /// <summary>Sets a key of appsettings.json to a piece of JSON, or removes it.</summary>
    public ConfigurationFixture Set(string key, string? json)
    {
        var path = Path.Combine(Folder, "appsettings.json");
        var root = JsonNode.Parse(File.ReadAllText(path), null, new() { CommentHandling = System.Text.Json.JsonCommentHandling.Skip })!.AsObject();
        var names = key.Split(':');
        JsonNode section = root;
        foreach (var name in names[..^1])
            section = section is JsonArray list
                ? list[int.Parse(name, System.Globalization.CultureInfo.InvariantCulture)]!
                : section[name] ??= new JsonObject();
        if (json is null) section.AsObject().Remove(names[^1]);
        else section[names[^1]] = JsonNode.Parse(json);
        File.WriteAllText(path, root.ToJsonString());
        return this;
    }

    public LoadResult Load(string environment = "Production") =>
        ConfigurationFolder.Load(["--config", Folder, .. Arguments], environment, Variables);

    public Snapshot LoadGood(string environment = "Production")
    {
        var result = Load(environment);
        Assert.Empty(result.Findings);
        return result.Snapshot!;
    }

    /// <summary>The one finding of a configuration that is wrong in one place.</summary>
    public Finding LoadBad(string environment = "Production")
    {
        var result = Load(environment);
        Assert.Null(result.Snapshot);
        Assert.Single(result.Findings);
        return result.Findings[0];
    }
}
