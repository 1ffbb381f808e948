using System.Text.Json.Nodes;
using Gateway.Authentication;
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

    /// <summary>Adds the issuer's introspection endpoint to the configuration. The folder holds the secret under this name.</summary>
    public static JsonObject AddIntrospection(this JsonObject settings, string issuer, string secretPath, string more = "{}")
    {
        var section = JsonNode.Parse(more)!.AsObject();
        section["Address"] ??= $"{issuer}/introspect";
        section["ClientId"] = "gateway";
        section["ClientSecretPath"] = secretPath;
        section["Organizations"] = JsonNode.Parse("""{ "Claim": "organizations", "Format": "Array" }""");
        return settings.Set("Authentication:Introspection", section.ToJsonString());
    }

    /// <summary>Sends keys with a request, each as a header of its own.</summary>
    public static Action<HttpRequestMessage> With(params string[] keys) => request =>
    {
        foreach (var key in keys) request.Headers.TryAddWithoutValidation(Header, key);
    };
}
