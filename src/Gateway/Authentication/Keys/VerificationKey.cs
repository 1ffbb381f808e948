using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Configuration;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication.Keys;

/// <summary>
/// Reads one JSON Web Key as a key that verifies signatures: RSA of 2048 to 16384 bits, or a NIST curve. Only the key's numbers count. A certificate beside
/// them is ignored, since the issuer itself vouches for the key.
/// </summary>
/// <param name="Key">The key.</param>
/// <param name="Algorithm">The only algorithm that the key is for (RFC 7517, 4.4); null: any of its type.</param>
/// <param name="Issuer">The issuer that the key belongs to; null when the key set does not say.</param>
internal sealed record VerificationKey(SecurityKey Key, string? Algorithm, string? Issuer)
{
    private const int LeastRsaBits = 2048;
    private const int MostRsaBits = 16384;

    private static readonly JsonDocumentOptions s_once = new() { AllowDuplicateProperties = false };

    /// <summary>The algorithms that tokens may be signed with. RFC 8725, 3.1, requires a list of them.</summary>
    public static readonly IReadOnlyList<string> Algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];

    /// <summary>Whether the key can verify a token with this <c>alg</c>.</summary>
    public bool Fits(string algorithm) => (Algorithm is null || Algorithm == algorithm) && algorithm switch
    {
        ['R' or 'P', 'S', ..] => Key is RsaSecurityKey,
        "ES256" => Key is ECDsaSecurityKey { KeySize: 256 },
        "ES384" => Key is ECDsaSecurityKey { KeySize: 384 },
        "ES512" => Key is ECDsaSecurityKey { KeySize: 521 },
        _ => false,
    };

    /// <summary>
    /// Whether the key may sign for a token's issuer. Microsoft Entra ID publishes keys of several tenants in one set: a key for personal accounts must not
    /// sign for an organization. Tokens of version 1 name another host than the key does, so the tenants are compared. At other providers <c>issuer</c> has
    /// no meaning.
    /// </summary>
    public bool MaySignFor(string issuer) =>
        EntraTenant(Issuer) is not { } tenant || tenant == "{tenantid}" || string.Equals(tenant, EntraTenant(issuer), StringComparison.OrdinalIgnoreCase);

    public static bool TryRead(JsonElement member, [NotNullWhen(true)] out VerificationKey? read, out string reason)
    {
        var name = "a key";
        try
        {
            if (member.ValueKind != JsonValueKind.Object) throw new FormatException("it is not an object");
            // If a member appears twice, different readers take different values. Such a key is not used.
            using var once = JsonDocument.Parse(member.GetRawText(), s_once);
            var key = once.RootElement;
            var id = Text(key, "kid");
            if (id is not null) name = $"key {Finding.Quote(id)}";
            CheckUse(key);
            SecurityKey found = Text(key, "kty") switch
            {
                "RSA" => Rsa(key),
                "EC" => EllipticCurve(key),
                var other => throw new FormatException($"its kty is {Finding.Quote(other ?? "")}"),
            };
            found.KeyId = string.IsNullOrEmpty(id) ? null : id;
            (read, reason) = (new(found, Text(key, "alg"), IssuerOf(key)), "");
            return true;
        }
        catch (JsonException)
        {
            reason = $"{name} (a member stands there twice)";
        }
        catch (CryptographicException)
        {
            reason = $"{name} (its numbers make no key)";
        }
        catch (InvalidOperationException)
        {
            // A string holds an escaped half of a surrogate pair.
            reason = $"{name} (a member is not a text)";
        }
        catch (FormatException e)
        {
            reason = $"{name} ({e.Message})";
        }

        read = null;
        return false;
    }

    private static void CheckUse(JsonElement key)
    {
        if (Text(key, "use") is { } use && use != "sig") throw new FormatException($"its use is {Finding.Quote(use)}");
        if (Text(key, "alg") is { } algorithm && !Algorithms.Contains(algorithm, StringComparer.Ordinal))
            throw new FormatException($"its alg is {Finding.Quote(algorithm)}");
        if (!key.TryGetProperty("key_ops", out var operations)) return;
        if (operations.ValueKind != JsonValueKind.Array || !operations.EnumerateArray().Any(static operation => IsText(operation, "verify")))
            throw new FormatException("its key_ops have no verify");
    }

    private static RsaSecurityKey Rsa(JsonElement key)
    {
        var (modulus, exponent) = (Number(key, "n"), Number(key, "e"));
        var bits = modulus.Length == 0 ? 0 : (modulus.Length * 8) - byte.LeadingZeroCount(modulus[0]);
        if (bits is < LeastRsaBits or > MostRsaBits) throw new FormatException($"it has {bits} bits");
        // With an exponent of 1 anyone can sign.
        if (exponent is [] or [1] || exponent.Length > 8 || exponent[^1] % 2 == 0) throw new FormatException("its e is not an exponent");
        var parameters = new RSAParameters { Modulus = modulus, Exponent = exponent };
        RSA.Create(parameters).Dispose();
        return new RsaSecurityKey(parameters);
    }

    private static ECDsaSecurityKey EllipticCurve(JsonElement key)
    {
        var (curve, size) = Text(key, "crv") switch
        {
            "P-256" => (ECCurve.NamedCurves.nistP256, 32),
            "P-384" => (ECCurve.NamedCurves.nistP384, 48),
            "P-521" => (ECCurve.NamedCurves.nistP521, 66),
            var other => throw new FormatException($"its crv is {Finding.Quote(other ?? "")}"),
        };
        return new ECDsaSecurityKey(ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = Coordinate("x"), Y = Coordinate("y") } }));

        byte[] Coordinate(string name)
        {
            var number = Number(key, name);
            return number.Length <= size ? [.. new byte[size - number.Length], .. number] : throw new FormatException($"its {name} is too long");
        }
    }

    // Microsoft Entra ID names the tenant that a key belongs to.
    private static string? IssuerOf(JsonElement key) =>
        key.TryGetProperty("issuer", out var issuer) && issuer.ValueKind == JsonValueKind.String ? issuer.GetString() : null;

    private static string? EntraTenant(string? issuer) =>
        issuer?.Split('/') is ["https:", "", var host, var tenant, ..] && EntraCloud.Has(host) ? tenant : null;

    private static bool IsText(JsonElement value, string text) => value.ValueKind == JsonValueKind.String && value.ValueEquals(text);

    private static string? Text(JsonElement key, string name) => !key.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw new FormatException($"its {name} is not a text");

    // Some issuers write base64 with padding, or with a leading zero.
    private static byte[] Number(JsonElement key, string name)
    {
        var text = Text(key, name) ?? throw new FormatException($"it has no {name}");
        try
        {
            return [.. Base64Url.DecodeFromChars(text.TrimEnd('=').Replace('+', '-').Replace('/', '_')).SkipWhile(static part => part == 0)];
        }
        catch (FormatException)
        {
            throw new FormatException($"its {name} is not base64url");
        }
    }
}
