using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Gateway.Authentication.Keys;

/// <summary>The keys of a JSON Web Key Set that verify signatures. The set is read key by key: an unusable key is skipped, and the others are used.</summary>
internal sealed class PublishedKeys : OpenIdConnectConfiguration
{
    // Keys without an id are tried one after another, this many at most.
    private const int MostTried = 32;
    private const int MostNamed = 10;

    private readonly byte[] _hash;
    private readonly IReadOnlyList<VerificationKey> _keys;
    private readonly FrozenDictionary<string, VerificationKey[]> _byId;
    private readonly VerificationKey[] _withoutId;

    private PublishedKeys(string issuer, string address, IReadOnlyList<VerificationKey> keys, IReadOnlyList<string> passed)
    {
        (Issuer, JwksUri, _hash, Passed) = (issuer, address, HashOf(issuer, keys), passed);
        JsonWebKeySet = new JsonWebKeySet();
        foreach (var key in keys)
        {
            SigningKeys.Add(key.Key);
            // Microsoft.Identity.Web reads the tenant of a key from here.
            var described = new JsonWebKey { Kid = key.Key.KeyId };
            if (key.Issuer is not null) described.AdditionalData["issuer"] = key.Issuer;
            JsonWebKeySet.Keys.Add(described);
        }

        _keys = keys;
        _byId = keys.Where(key => key.Key.KeyId is not null).GroupBy(key => key.Key.KeyId, StringComparer.Ordinal)
            .ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        _withoutId = [.. keys.Where(key => key.Key.KeyId is null)];
    }

    /// <summary>The first few keys that are not used, with the reasons.</summary>
    public IReadOnlyList<string> Passed { get; }

    /// <exception cref="JsonException">The document is not a key set.</exception>
    public static PublishedKeys Parse(string issuer, string address, ReadOnlyMemory<byte> keySet)
    {
        using var document = JsonDocument.Parse(keySet);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("keys", out var members) || members.ValueKind != JsonValueKind.Array)
            throw new JsonException();
        var keys = new List<VerificationKey>();
        var passed = new List<string>();
        foreach (var member in members.EnumerateArray())
        {
            if (VerificationKey.TryRead(member, out var read, out var reason)) keys.Add(read);
            else if (passed.Count < MostNamed) passed.Add(reason);
        }

        return new(issuer, address, keys, passed);
    }

    /// <summary>Whether both sets hold the same keys, in any order and with any other members beside them.</summary>
    public bool HasSameContent(PublishedKeys? other) => other is not null && _hash.AsSpan().SequenceEqual(other._hash);

    /// <summary>Whether a key has this id.</summary>
    public bool Has(string keyId) => _byId.ContainsKey(keyId);

    /// <summary>Whether a token with this key id can be judged: by the key with that id, or by a key without an id.</summary>
    public bool MayJudge(string? keyId) => keyId is null ? SigningKeys.Count > 0 : Has(keyId) || _withoutId.Length > 0;

    /// <summary>The keys to try for a token: those with its key id, otherwise those without an id. For a token without a key id: all keys.</summary>
    public IEnumerable<SecurityKey> CandidatesFor(string? keyId, string algorithm, string issuer) =>
        (string.IsNullOrEmpty(keyId) ? _keys : _byId.GetValueOrDefault(keyId) ?? _withoutId)
            .Where(key => key.Fits(algorithm) && key.MaySignFor(issuer)).Select(key => key.Key).Take(MostTried);

    private static byte[] HashOf(string issuer, IEnumerable<VerificationKey> keys)
    {
        // A key's thumbprint (RFC 7638) covers its type and numbers.
        var each = keys.Select(static key => JsonSerializer.Serialize(
            (string?[])[key.Key.KeyId, Convert.ToHexString(key.Key.ComputeJwkThumbprint()), key.Algorithm, key.Issuer]));
        return SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes((string[])[issuer, .. each.Order(StringComparer.Ordinal)]));
    }
}
