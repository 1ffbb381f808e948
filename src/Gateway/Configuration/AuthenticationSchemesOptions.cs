namespace Gateway.Configuration;

/// <summary>The section <c>Authentication</c>.</summary>
internal sealed record AuthenticationSchemesOptions
{
    /// <summary>Schemes by name. A token goes to the one scheme that its issuer belongs to, and to none when it belongs to none.</summary>
    public IReadOnlyDictionary<string, SchemeOptions> Schemes { get; init; } = new Dictionary<string, SchemeOptions>(StringComparer.Ordinal);

    /// <summary>API keys. Live. Default: none are accepted.</summary>
    public ApiKeysOptions? ApiKeys { get; init; }

    /// <summary>The service that is asked about other keys, and tokens that are no JSON Web Tokens. Default: none, and they are refused.</summary>
    public IntrospectionOptions? Introspection { get; init; }

    /// <summary>Whether another configuration has the same API keys.</summary>
    internal bool HasSameKeys(AuthenticationSchemesOptions other)
    {
        var (keys, others) = (ApiKeys?.Keys, other.ApiKeys?.Keys);
        return keys is null || others is null ? keys == others
            : keys.Count == others.Count && keys.All(key => others.TryGetValue(key.Key, out var entry) && key.Value.HasSameContent(entry));
    }

    /// <summary>The request header that is read for API keys; null when none are accepted.</summary>
    internal string? KeyHeader =>
        ApiKeys?.Header ?? (Introspection?.Accepts.Contains(IntrospectedKind.ApiKey) == true ? ApiKeysOptions.DefaultHeader : null);
}

/// <summary>One OpenID provider, and how its tokens are read.</summary>
internal sealed record SchemeOptions
{
    /// <summary>The provider's address, below which its discovery document is. Required.</summary>
    public string? Authority { get; init; }

    /// <summary>The audiences of which a token names at least one. Required.</summary>
    public IReadOnlyList<string> ValidAudiences { get; init; } = [];

    /// <summary>The issuers that tokens may name. Default: <see cref="Authority"/>.</summary>
    public IReadOnlyList<string> ValidIssuers { get; init; } = [];

    /// <summary>Whether the provider is reached by https alone. Default: true.</summary>
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>Whether ID tokens are accepted beside access tokens. Default: false.</summary>
    public bool AcceptIdTokens { get; init; }

    /// <summary>How a token names the organizations of its caller. Default: it names none.</summary>
    public OrganizationClaimOptions? Organizations { get; init; }

    /// <summary>The claim that holds the caller's roles. Default: <c>roles</c>.</summary>
    public string RoleClaim { get; init; } = "roles";

    /// <summary>The claim that holds the token's scopes. Default: <c>scope</c>.</summary>
    public string ScopeClaim { get; init; } = "scope";

    /// <summary>The issuers of this scheme: <see cref="ValidIssuers"/>, or else <see cref="Authority"/>.</summary>
    internal IReadOnlyList<string> Issuers => ValidIssuers.Count > 0 ? ValidIssuers : Authority is null ? [] : [Authority];
}

/// <summary>How a token names the organizations of its caller.</summary>
internal sealed record OrganizationClaimOptions
{
    /// <summary>The claim's name. Required.</summary>
    public string? Claim { get; init; }

    /// <summary>How the claim's value is written; never guessed from the value. Default: <see cref="OrganizationClaimFormat.Array"/>.</summary>
    public OrganizationClaimFormat Format { get; init; }

    /// <summary>The organizations that this issuer may speak for; others in the claim are ignored. Default: any.</summary>
    public IReadOnlyList<string>? Only { get; init; }
}

/// <summary>How the claim that holds organizations is written.</summary>
internal enum OrganizationClaimFormat
{
    /// <summary>A JSON array of strings.</summary>
    Array,

    /// <summary>One organization.</summary>
    Single,

    /// <summary>Organizations separated by spaces.</summary>
    Spaces,

    /// <summary>Organizations separated by commas.</summary>
    Commas,

    /// <summary>A string that holds a JSON array of strings.</summary>
    Json,
}
