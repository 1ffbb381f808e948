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
    /// <summary>The clock skew unless a scheme sets another.</summary>
    internal static readonly TimeSpan DefaultClockSkew = TimeSpan.FromSeconds(30);

    /// <summary>The provider's address, below which its discovery document is. Required.</summary>
    public string? Authority { get; init; }

    /// <summary>The discovery document's address, when it is not below <see cref="Authority"/>. Default: derived from it.</summary>
    public string? MetadataAddress { get; init; }

    /// <summary>The audiences of which a token names at least one. Required, unless <see cref="ClientIds"/> is set.</summary>
    public IReadOnlyList<string> ValidAudiences { get; init; } = [];

    /// <summary>
    /// The clients that tokens may be issued to. A token names its client in at least one of <c>client_id</c>, <c>azp</c>, <c>cid</c>, <c>appid</c>, and
    /// each of these that it has must be in the list. Default: any client, and then <see cref="ValidAudiences"/> is required.
    /// </summary>
    public IReadOnlyList<string> ClientIds { get; init; } = [];

    /// <summary>The issuers that tokens may name, letter for letter; they need not be addresses. Default: <see cref="Authority"/>.</summary>
    public IReadOnlyList<string> ValidIssuers { get; init; } = [];

    /// <summary>Whether the provider is reached by https alone. Default: true.</summary>
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>Whether ID tokens are accepted beside access tokens. Default: false.</summary>
    public bool AcceptIdTokens { get; init; }

    /// <summary>How a token names the organizations of its caller. Default: it names none.</summary>
    public OrganizationClaimOptions? Organizations { get; init; }

    /// <summary>The claim that holds the caller's roles, or the path to it, with dots between names. Default: <c>roles</c>.</summary>
    public string RoleClaim { get; init; } = "roles";

    /// <summary>The claim that holds the token's scopes, or the path to it, with dots between names. Default: <c>scope</c>.</summary>
    public string ScopeClaim { get; init; } = "scope";

    /// <summary>
    /// The claim that names the caller, or the path to it, with dots between names. A token without it is refused. Default: <c>sub</c>.
    /// </summary>
    public string SubjectClaim { get; init; } = "sub";

    /// <summary>How far the provider's clock may be off: from 0 to 5 min. Default: 30 s.</summary>
    public TimeSpan ClockSkew { get; init; } = DefaultClockSkew;

    /// <summary>The issuers of this scheme: <see cref="ValidIssuers"/>, or else <see cref="Authority"/>.</summary>
    internal IReadOnlyList<string> Issuers => ValidIssuers.Count > 0 ? ValidIssuers : Authority is null ? [] : [Authority];
}

/// <summary>How a token names the organizations of its caller.</summary>
internal sealed record OrganizationClaimOptions
{
    /// <summary>The claim's name, or the path to it, with dots between names. Required.</summary>
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

    /// <summary>A JSON array of strings, or one string, which is one organization.</summary>
    ArrayOrSingle,
}
