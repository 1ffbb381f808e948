namespace Gateway.Configuration;

/// <summary>The API keys that are accepted. A key itself is never in the configuration, only its hash.</summary>
internal sealed record ApiKeysOptions
{
    /// <summary>The default of <see cref="Header"/>.</summary>
    public const string DefaultHeader = "X-API-Key";

    /// <summary>The request header that holds a key. It never goes downstream. Default: <c>X-API-Key</c>.</summary>
    public string Header { get; init; } = DefaultHeader;

    /// <summary>The keys by name. The name is the subject of the key's caller. Live: a key that is removed stops at once.</summary>
    public IReadOnlyDictionary<string, ApiKeyOptions> Keys { get; init; } = new Dictionary<string, ApiKeyOptions>(StringComparer.Ordinal);
}

/// <summary>One API key and its caller.</summary>
internal sealed record ApiKeyOptions
{
    /// <summary>The SHA-256 of the key, 64 hexadecimal digits, as <c>api-key create</c> and <c>api-key hash</c> print it. Required.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The organizations that the caller belongs to. Default: none.</summary>
    public IReadOnlyList<string> Organizations { get; init; } = [];

    /// <summary>The caller's roles. Default: none.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>The caller's scopes. Default: none.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>When the key ends, as <c>2027-01-01T00:00:00Z</c>. Streams end with it. Default: never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The client addresses and networks that may use the key; others get 403. Default: any.</summary>
    public IReadOnlyList<string> IpAllow { get; init; } = [];

    /// <summary>Whether another key has the same content.</summary>
    internal bool HasSameContent(ApiKeyOptions other) =>
        string.Equals(Sha256, other.Sha256, StringComparison.OrdinalIgnoreCase) && Expires == other.Expires
        && Organizations.SequenceEqual(other.Organizations) && Roles.SequenceEqual(other.Roles) && Scopes.SequenceEqual(other.Scopes)
        && IpAllow.SequenceEqual(other.IpAllow);
}
