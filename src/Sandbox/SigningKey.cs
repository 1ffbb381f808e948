using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Sandbox;

/// <summary>A key that signs tokens: RSA 2048 or elliptic curve P-256. Thread-safe.</summary>
public sealed class SigningKey
{
    // OpenSSL's handles are not guaranteed to be thread-safe.
    private readonly Lock _lock = new();
    private readonly AsymmetricAlgorithm _key;

    private SigningKey(AsymmetricAlgorithm key, string keyId)
    {
        _key = key;
        KeyId = keyId;
    }

    /// <summary>The <c>kid</c> of the published key.</summary>
    public string KeyId { get; }

    /// <summary>The public key as the bytes of its PEM text. An attacker uses it as the HS256 secret when a verifier confuses key types.</summary>
    public byte[] PublicKeyPem => Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem());

    /// <summary>The public key as DER (SubjectPublicKeyInfo).</summary>
    public byte[] PublicKeyDer => _key.ExportSubjectPublicKeyInfo();

    internal bool IsRsa => _key is RSA;

    /// <summary>A new RSA key of 2048 bits.</summary>
    /// <param name="keyId">Its <c>kid</c>. Default: a random one.</param>
    /// <returns>The key.</returns>
    public static SigningKey CreateRsa(string? keyId = null) => new(RSA.Create(2048), keyId ?? NewId());

    /// <summary>A new key on the curve P-256.</summary>
    /// <param name="keyId">Its <c>kid</c>. Default: a random one.</param>
    /// <returns>The key.</returns>
    public static SigningKey CreateEllipticCurve(string? keyId = null) => new(ECDsa.Create(ECCurve.NamedCurves.nistP256), keyId ?? NewId());

    /// <summary>The public key as a member of a JSON Web Key Set.</summary>
    /// <returns>A new object.</returns>
    public JsonObject ToJsonWebKey()
    {
        var jwk = new JsonObject { ["kid"] = KeyId, ["use"] = "sig" };
        if (_key is RSA rsa)
        {
            var parameters = rsa.ExportParameters(includePrivateParameters: false);
            jwk["kty"] = "RSA";
            jwk["n"] = TokenWriter.Base64Url(parameters.Modulus);
            jwk["e"] = TokenWriter.Base64Url(parameters.Exponent);
        }
        else
        {
            var point = ((ECDsa)_key).ExportParameters(includePrivateParameters: false).Q;
            jwk["kty"] = "EC";
            jwk["crv"] = "P-256";
            jwk["x"] = TokenWriter.Base64Url(point.X);
            jwk["y"] = TokenWriter.Base64Url(point.Y);
        }

        return jwk;
    }

    internal byte[] Sign(string algorithm, byte[] data)
    {
        var hash = algorithm[2..] switch
        {
            "256" => HashAlgorithmName.SHA256,
            "384" => HashAlgorithmName.SHA384,
            "512" => HashAlgorithmName.SHA512,
            _ => throw new ArgumentException($"Unknown algorithm '{algorithm}'.", nameof(algorithm)),
        };
        lock (_lock)
        {
            return (_key, algorithm[..2]) switch
            {
                (RSA rsa, "RS") => rsa.SignData(data, hash, RSASignaturePadding.Pkcs1),
                (RSA rsa, "PS") => rsa.SignData(data, hash, RSASignaturePadding.Pss),
                (ECDsa curve, "ES") => curve.SignData(data, hash),
                _ => throw new ArgumentException($"A key of this type cannot sign with '{algorithm}'.", nameof(algorithm)),
            };
        }
    }

    private static string NewId() => Guid.NewGuid().ToString("N");
}
