namespace Sandbox;

/// <summary>A token to mint, valid or not. The default is a valid access token for <c>alice</c> of no organization; each member changes one thing.</summary>
public sealed record TokenRequest
{
    /// <summary><c>sub</c>. Null leaves it out.</summary>
    public string? Subject { get; init; } = "alice";

    /// <summary><c>aud</c>: a string for one, an array for several, left out for none. Default: <c>api://gateway</c>.</summary>
    public IReadOnlyList<string> Audiences { get; init; } = ["api://gateway"];

    /// <summary><c>iss</c>. Null: the provider's own issuer.</summary>
    public string? Issuer { get; init; }

    /// <summary><c>iat</c>, counted from now. Null leaves it out.</summary>
    public TimeSpan? IssuedAt { get; init; } = TimeSpan.Zero;

    /// <summary><c>nbf</c>, counted from now. Null leaves it out.</summary>
    public TimeSpan? NotBefore { get; init; } = TimeSpan.Zero;

    /// <summary><c>exp</c>, counted from now; negative for an expired token. Null leaves it out. Default: one hour.</summary>
    public TimeSpan? Expires { get; init; } = TimeSpan.FromHours(1);

    /// <summary><c>organizations</c>, in the JSON form that this value serializes to. Null leaves it out.</summary>
    public object? Organizations { get; init; }

    /// <summary><c>roles</c>, an array. Left out when empty.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary><c>scope</c>, separated by spaces. Left out when empty.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Further claims, and replacements for those above. A null value is written as JSON null.</summary>
    public IReadOnlyDictionary<string, object?> Claims { get; init; } = new Dictionary<string, object?>();

    /// <summary>Names of claims to leave out, including those set above.</summary>
    public IReadOnlyList<string> WithoutClaims { get; init; } = [];

    /// <summary><c>typ</c>. Null leaves it out. Default: <c>at+jwt</c>, an access token by RFC 9068.</summary>
    public string? Type { get; init; } = "at+jwt";

    /// <summary><c>kid</c>. Null: the id of the signing key. See <see cref="WithoutKeyId"/> to leave it out.</summary>
    public string? KeyId { get; init; }

    /// <summary>Leaves <c>kid</c> out.</summary>
    public bool WithoutKeyId { get; init; }

    /// <summary>Further members of the header, such as <c>crit</c>, and replacements for those above.</summary>
    public IReadOnlyDictionary<string, object?> Header { get; init; } = new Dictionary<string, object?>();

    /// <summary>
    /// <c>alg</c>, which also selects how to sign: <c>RS</c>, <c>PS</c> or <c>ES</c> with 256, 384 or 512, <c>HS256</c>, or <c>none</c> in any case. Default:
    /// <c>RS256</c>.
    /// </summary>
    public string Algorithm { get; init; } = "RS256";

    /// <summary>
    /// The key that signs. Null: the provider's current one. A foreign key under a published <see cref="KeyId"/> makes a forgery.
    /// </summary>
    public SigningKey? Key { get; init; }

    /// <summary>The secret for HS256. Null: the bytes of <see cref="SigningKey.PublicKeyPem"/> of the key above.</summary>
    public byte[]? Secret { get; init; }

    /// <summary>The verbatim payload, in place of all claims above: for duplicates and other malformed JSON.</summary>
    public string? RawPayload { get; init; }

    /// <summary>The verbatim header, in place of all header members above.</summary>
    public string? RawHeader { get; init; }
}
