namespace Gateway.Configuration;

/// <summary>A service that is asked about keys and tokens that the gateway cannot judge itself (RFC 7662, OAuth 2.0 Token Introspection).</summary>
internal sealed record IntrospectionOptions
{
    /// <summary>The introspection endpoint. Required.</summary>
    public string? Address { get; init; }

    /// <summary>The gateway's own client id there. Required.</summary>
    public string? ClientId { get; init; }

    /// <summary>
    /// A file that holds the client's secret. It is read again for every call. Relative to the configuration folder, or absolute. Required.
    /// </summary>
    public string? ClientSecretPath { get; init; }

    /// <summary>What is introspected. Default: both.</summary>
    public IReadOnlyList<IntrospectedKind> Accepts { get; init; } = [IntrospectedKind.ApiKey, IntrospectedKind.Bearer];

    /// <summary>How long a response is used: a revoked key or token stops within it. Default: 30 seconds.</summary>
    public TimeSpan CacheFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest that a caller waits for the service. Default: 2 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How a response names the organizations of its caller. Default: it names none.</summary>
    public OrganizationClaimOptions? Organizations { get; init; }

    /// <summary>The member that holds the caller's roles. Default: <c>roles</c>.</summary>
    public string RoleClaim { get; init; } = "roles";

    /// <summary>The member that holds the scopes. Default: <c>scope</c>.</summary>
    public string ScopeClaim { get; init; } = "scope";
}

/// <summary>What is introspected.</summary>
internal enum IntrospectedKind
{
    /// <summary>An API key that is not under <c>ApiKeys:Keys</c>.</summary>
    ApiKey,

    /// <summary>A bearer token that is no JSON Web Token.</summary>
    Bearer,
}
