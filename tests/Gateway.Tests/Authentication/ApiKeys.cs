using System.Text.Json.Nodes;
using Gateway.Authentication;
using Sandbox;
using Testing;

namespace Gateway.Tests.Authentication;

/// <summary>API keys for tests: a key, and its entry in the configuration.</summary>
internal static class ApiKeys
{
    public const string Header = "X-API-Key";

    public static string NewKey()
    {
        var key = ApiKeyText.Create();
        IssuedSecrets.Add(key);
        return key;
    }

    /// <summary>Adds a key to the configuration.</summary>
    public static JsonObject AddKey(this JsonObject settings, string name, string key, string more = "{}")
    {
        var entry = JsonNode.Parse(more)!.AsObject();
        entry["Sha256"] = ApiKeyText.Sha256Of(key);
        return settings.Set($"Authentication:ApiKeys:Keys:{name}", entry.ToJsonString());
    }

    /// <summary>Adds an issuer's introspection endpoint to the configuration.</summary>
    public static JsonObject AddIntrospection(this JsonObject settings, OpenIdProvider issuer, SecretFile secret, string more = "{}")
    {
        secret.Write(issuer.IntrospectionSecret + "\n");
        var section = JsonNode.Parse(more)!.AsObject();
        section["Address"] ??= $"{issuer.Issuer}/introspect";
        section["ClientId"] ??= "gateway";
        section["ClientSecretPath"] ??= secret.Path;
        section["Organizations"] ??= JsonNode.Parse("""{ "Claim": "organizations", "Format": "Array" }""");
        return settings.Set("Authentication:Introspection", section.ToJsonString());
    }

    /// <summary>Sends keys with a request, each as a header of its own.</summary>
    public static Action<HttpRequestMessage> With(params string[] keys) => request =>
    {
        foreach (var key in keys) request.Headers.TryAddWithoutValidation(Header, key);
    };
}

/// <summary>A file that holds a secret, in a folder that the system empties.</summary>
internal sealed class SecretFile
{
    public string Path { get; } = System.IO.Path.GetTempFileName();

    public void Write(string secret)
    {
        IssuedSecrets.Add(secret.Trim());
        File.WriteAllText(Path, secret);
    }
}
