namespace Gateway.Configuration;

/// <summary>The section <c>Authorization</c>.</summary>
internal sealed record AuthorizationPoliciesOptions
{
    /// <summary>Policies by the name that routes give in <c>AuthorizationPolicy</c>.</summary>
    public IReadOnlyDictionary<string, AuthorizationPolicyOptions> Policies { get; init; } =
        new Dictionary<string, AuthorizationPolicyOptions>(StringComparer.Ordinal);
}

/// <summary>The callers that may use a route: they are authenticated and meet every requirement here.</summary>
internal sealed record AuthorizationPolicyOptions
{
    /// <summary>Whether the route's <c>{organizationId}</c> must be one of the caller's. Default: false.</summary>
    public bool RequireOrganization { get; init; }

    /// <summary>The scopes of which the token holds at least one. Default: none is asked for.</summary>
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>The roles of which the caller holds at least one. Default: none is asked for.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>The authentication schemes by one of which the caller was authenticated; <c>AzureAd</c> is that section's. Default: any.</summary>
    public IReadOnlyList<string> Schemes { get; init; } = [];
}

/// <summary>The section <c>RateLimiting</c>.</summary>
internal sealed record RateLimitingPoliciesOptions
{
    /// <summary>Policies by the name that routes give in <c>RateLimiterPolicy</c>.</summary>
    public IReadOnlyDictionary<string, RateLimitPolicyOptions> Policies { get; init; } =
        new Dictionary<string, RateLimitPolicyOptions>(StringComparer.Ordinal);
}

/// <summary>How often a route may be used, by each of those that <see cref="PartitionBy"/> tells apart.</summary>
internal sealed record RateLimitPolicyOptions
{
    /// <summary>How permits are counted. Default: <see cref="RateLimitAlgorithm.TokenBucket"/>.</summary>
    public RateLimitAlgorithm Algorithm { get; init; }

    /// <summary>The property that requests are counted by. Default: <see cref="RateLimitPartitionKey.Organization"/>.</summary>
    public RateLimitPartitionKey PartitionBy { get; init; }

    /// <summary>
    /// The most requests in a <see cref="Window"/>; with <see cref="RateLimitAlgorithm.Concurrency"/>, at once. At least 1.
    /// Required.
    /// </summary>
    public int PermitLimit { get; init; }

    /// <summary>
    /// The time that <see cref="PermitLimit"/> is for. Required, but with <see cref="RateLimitAlgorithm.Concurrency"/>, which has
    /// none.
    /// </summary>
    public TimeSpan Window { get; init; }

    /// <summary>The store of the counts. Default: <see cref="RateLimitStore.Local"/>.</summary>
    public RateLimitStore Store { get; init; }
}

/// <summary>How permits are counted.</summary>
internal enum RateLimitAlgorithm
{
    /// <summary>A bucket of permits that fills evenly over the window.</summary>
    TokenBucket,

    /// <summary>A count that starts at 0 in each window.</summary>
    FixedWindow,

    /// <summary>A count over the last window.</summary>
    SlidingWindow,

    /// <summary>A count of requests in flight.</summary>
    Concurrency,
}

/// <summary>The property that requests are counted by.</summary>
internal enum RateLimitPartitionKey
{
    /// <summary>Each organization of the route's <c>{organizationId}</c>.</summary>
    Organization,

    /// <summary>Each caller: an issuer's subject.</summary>
    Subject,

    /// <summary>Each client address, IPv6 by /64.</summary>
    ClientIp,

    /// <summary>Each route.</summary>
    Route,
}

/// <summary>The store of the counts.</summary>
internal enum RateLimitStore
{
    /// <summary>Each process counts for itself.</summary>
    Local,

    /// <summary>All processes count together.</summary>
    Redis,
}

/// <summary>The section <c>Cors</c>.</summary>
internal sealed record CorsPoliciesOptions
{
    /// <summary>Policies by the name that routes give in <c>CorsPolicy</c>.</summary>
    public IReadOnlyDictionary<string, CorsPolicyOptions> Policies { get; init; } =
        new Dictionary<string, CorsPolicyOptions>(StringComparer.Ordinal);
}

/// <summary>From which web origins a route may be used, and how.</summary>
internal sealed record CorsPolicyOptions
{
    /// <summary>The origins, each as a scheme, a host and a port that is not the scheme's own. Required.</summary>
    public IReadOnlyList<string> Origins { get; init; } = [];

    /// <summary>The methods that scripts may use beside GET, HEAD and POST. Default: none.</summary>
    public IReadOnlyList<string> Methods { get; init; } = [];

    /// <summary>The request headers that scripts may set. Default: none.</summary>
    public IReadOnlyList<string> Headers { get; init; } = [];

    /// <summary>The response headers that scripts may read. Default: <c>Retry-After</c> and <c>X-Request-Id</c>.</summary>
    public IReadOnlyList<string> ExposedHeaders { get; init; } = ["Retry-After", "X-Request-Id"];

    /// <summary>How long a browser may keep the response to a preflight. Default: 10 minutes. 0: it asks before each request.</summary>
    public TimeSpan MaxAge { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Whether scripts may send cookies, client certificates and what the browser keeps for HTTP authentication. Default: false.</summary>
    public bool AllowCredentials { get; init; }
}
