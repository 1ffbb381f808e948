namespace Gateway.Configuration;

/// <summary>
/// Everything that operators write, but for the sections that belong to others: <c>ReverseProxy</c>, <c>Kestrel</c>,
/// <c>Logging</c>.
/// </summary>
internal sealed record GatewayOptions
{
    /// <summary>The default of <see cref="Urls"/>, if no listener is configured.</summary>
    public const string DefaultUrls = "http://localhost:8080";

    /// <summary>
    /// The addresses of the public edge, separated by <c>;</c>. Default: <c>http://localhost:8080</c>. Not together with
    /// <c>Kestrel:Endpoints</c>.
    /// </summary>
    public string Urls { get; init; } = DefaultUrls;

    /// <summary>The host names that are accepted, separated by <c>;</c>. Default: any.</summary>
    public string? AllowedHosts { get; init; }

    /// <summary>The listener of health, metrics and operators' actions.</summary>
    public ManagementOptions Management { get; init; } = new();

    /// <summary>The stores that the gateway connects to.</summary>
    public ConnectionStringsOptions ConnectionStrings { get; init; } = new();

    /// <summary>The keys that seal what is kept in Redis.</summary>
    public SealingOptions Sealing { get; init; } = new();

    /// <summary>The issuers whose tokens are accepted.</summary>
    public AuthenticationSchemesOptions Authentication { get; init; } = new();

    /// <summary>Microsoft Entra ID as one more issuer. Default: none.</summary>
    public AzureAdOptions? AzureAd { get; init; }

    /// <summary>The policies that decide which callers may use a route.</summary>
    public AuthorizationPoliciesOptions Authorization { get; init; } = new();

    /// <summary>How often a route may be used.</summary>
    public RateLimitingPoliciesOptions RateLimiting { get; init; } = new();

    /// <summary>From which web origins a route may be used.</summary>
    public CorsPoliciesOptions Cors { get; init; } = new();

    /// <summary>The checks before a request is routed.</summary>
    public EdgeOptions Edge { get; init; } = new();

    /// <summary>Services by the names that destinations call them by.</summary>
    public IReadOnlyDictionary<string, ServiceOptions> Services { get; init; } = new Dictionary<string, ServiceOptions>();

    /// <summary>The access log: a line for every request.</summary>
    public LogOptions AccessLog { get; init; } = new();

    /// <summary>The audit log: a line for all credentials that were handed out, and for every invalidation.</summary>
    public LogOptions AuditLog { get; init; } = new();

    /// <summary>How the process ends.</summary>
    public ShutdownOptions Shutdown { get; init; } = new();

    /// <summary>The credential module's own section, and the gateway's AWS identity.</summary>
    public IotCredentialsSection IotCredentials { get; init; } = new();

    /// <summary>The service of <see cref="Services"/> that a host name means; null when it means none, and is DNS's.</summary>
    public ServiceOptions? ServiceOf(string host) => Services.FirstOrDefault(service => service.Key.Equals(host, StringComparison.OrdinalIgnoreCase)).Value;
}

/// <summary>The listener that operators and probes use, apart from the public edge.</summary>
internal sealed record ManagementOptions
{
    /// <summary>The listener's address. Default: <c>http://localhost:9090</c>.</summary>
    public string Url { get; init; } = "http://localhost:9090";

    /// <summary>
    /// The policy of those who may act and read the console, by its name. Default: nobody may; health and metrics need no token.
    /// </summary>
    public string? AuthorizationPolicy { get; init; }

    /// <summary>How operators sign in to the console at an identity provider. Default: they paste a token.</summary>
    public ConsoleOptions? Console { get; init; }
}

/// <summary>The console as a client of an OpenID provider: the code flow with PKCE, without a secret.</summary>
internal sealed record ConsoleOptions
{
    /// <summary>
    /// The OpenID provider. Required. Browsers read its discovery document and its token endpoint, on the same origin, so both need CORS for the console's.
    /// </summary>
    public string? Authority { get; init; }

    /// <summary>The id of a public client whose redirect URI is the console's address, as <c>https://management.example.com/console</c>. Required.</summary>
    public string? ClientId { get; init; }

    /// <summary>The scopes that give an access token for this gateway, separated by spaces. Required.</summary>
    public string? Scope { get; init; }
}

/// <summary>The stores that the gateway connects to.</summary>
internal sealed record ConnectionStringsOptions
{
    /// <summary>Redis, as StackExchange.Redis writes it. Default: none, and what is cached stays in the process.</summary>
    public string? Redis { get; init; }

    /// <summary>
    /// A file that holds the text of <see cref="Redis"/>, and is given in its place. Relative to the configuration folder, or absolute. Default: none.
    /// </summary>
    public string? RedisPath { get; init; }

    /// <summary>Omits the values, which can hold a password.</summary>
    public override string ToString() => nameof(ConnectionStringsOptions);
}

/// <summary>The keys that seal what is kept in Redis.</summary>
internal sealed record SealingOptions
{
    /// <summary>
    /// A file of base64 256-bit keys, one a line: the first seals, all open. Relative to the configuration folder, or absolute. Required
    /// with Redis.
    /// </summary>
    public string? KeyPath { get; init; }
}

/// <summary>A log of JSON lines.</summary>
internal sealed record LogOptions
{
    /// <summary>Whether the log is written. Default: true.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// A file that lines are appended to, in a folder that exists. Relative to the configuration folder, or absolute. It is opened again on SIGHUP.
    /// Default: none, and the lines go to standard output.
    /// </summary>
    public string? Path { get; init; }
}

/// <summary>How the process ends.</summary>
internal sealed record ShutdownOptions
{
    /// <summary>How long requests are still taken after the signal, until the balancers have noticed. Default: 0 seconds.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>How long requests in flight may take to end after that. Default: 30 seconds.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);
}
