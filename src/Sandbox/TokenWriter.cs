using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Sandbox;

/// <summary>Writes tokens in the compact form by hand, because a library would refuse to write invalid ones.</summary>
internal static class TokenWriter
{
    public static string Base64Url(byte[]? data) => System.Buffers.Text.Base64Url.EncodeToString(data);

    public static string Write(TokenRequest request, SigningKey key, string issuer, DateTimeOffset now)
    {
        var header = request.RawHeader ?? Header(request, key).ToJsonString();
        var payload = request.RawPayload ?? Payload(request, issuer, now).ToJsonString();
        var signed = $"{Base64Url(Encoding.UTF8.GetBytes(header))}.{Base64Url(Encoding.UTF8.GetBytes(payload))}";
        return $"{signed}.{Base64Url(Sign(request, key, Encoding.ASCII.GetBytes(signed)))}";
    }

    private static byte[] Sign(TokenRequest request, SigningKey key, byte[] data)
    {
        if (request.Algorithm.Equals("none", StringComparison.OrdinalIgnoreCase)) return [];
        return request.Algorithm == "HS256"
            ? HMACSHA256.HashData(request.Secret ?? key.PublicKeyPem, data)
            : key.Sign(request.Algorithm, data);
    }

    private static JsonObject Header(TokenRequest request, SigningKey key)
    {
        var header = new JsonObject { ["alg"] = request.Algorithm };
        if (request.Type is { } type) header["typ"] = type;
        if (!request.WithoutKeyId) header["kid"] = request.KeyId ?? key.KeyId;
        foreach (var (name, value) in request.Header) header[name] = JsonSerializer.SerializeToNode(value);
        return header;
    }

    private static JsonObject Payload(TokenRequest request, string issuer, DateTimeOffset now)
    {
        var payload = new JsonObject { ["iss"] = request.Issuer ?? issuer, ["jti"] = Guid.NewGuid().ToString("N") };
        Set("sub", request.Subject);
        Set("aud", request.Audiences switch { [] => null, [var only] => only, var all => all });
        Set("iat", Time(request.IssuedAt));
        Set("nbf", Time(request.NotBefore));
        Set("exp", Time(request.Expires));
        Set("organizations", request.Organizations);
        Set("roles", request.Roles is [] ? null : request.Roles);
        Set("scope", request.Scopes is [] ? null : string.Join(' ', request.Scopes));
        foreach (var (name, value) in request.Claims) payload[name] = JsonSerializer.SerializeToNode(value);
        foreach (var name in request.WithoutClaims) payload.Remove(name);
        return payload;

        object? Time(TimeSpan? offset) => offset is { } value ? (now + value).ToUnixTimeSeconds() : null;

        void Set(string name, object? value)
        {
            if (value is not null) payload[name] = JsonSerializer.SerializeToNode(value);
        }
    }
}
