using IotCredentials.Http;

namespace Gateway.Telemetry;

/// <summary>
/// The words of <see cref="ErrorReason"/> that the gateway adds to those of the plugin. docs/access-log.md says what each means; access logs, metrics and alerts
/// of operators depend on them.
/// </summary>
internal static class GatewayReason
{
    public const string EncodedSlash = "encoded_slash";
    public const string Path = "path";
    public const string Framing = "framing";
    public const string BadRequest = "bad_request";
    public const string TokenExpired = "token_expired";
    public const string TokenNotYetValid = "token_not_yet_valid";
    public const string TokenLifetime = "token_lifetime";
    public const string Audience = "audience";
    public const string Issuer = "issuer";
    public const string Algorithm = "algorithm";
    public const string Signature = "signature";
    public const string SigningKey = "signing_key";
    public const string TokenClaims = "token_claims";
    public const string TokenUnreadable = "token_unreadable";
    public const string Ambiguous = "ambiguous";
    public const string ApiKey = "api_key";
    public const string ApiKeyExpired = "api_key_expired";
    public const string Introspection = "introspection";
    public const string Scopes = "scopes";
    public const string Roles = "roles";
    public const string Schemes = "schemes";
    public const string ClientAddress = "client_address";
    public const string NoRoute = "no_route";
    public const string Misdirected = "misdirected";
    public const string RequestTimeout = "request_timeout";
    public const string BodyTooLarge = "body_too_large";
    public const string HeadersTooLarge = "headers_too_large";
    public const string LockedOut = "locked_out";
    public const string Upgrades = "upgrades";
    public const string InFlight = "in_flight";
    public const string ClientLeft = "client_left";
    public const string Internal = "internal";
    public const string IssuerUnavailable = "issuer_unavailable";
    public const string IntrospectionUnavailable = "introspection_unavailable";
    public const string Timeout = "timeout";
    public const string Loop = "loop";
    public const string Other = "other";

    /// <summary>Begins the word of a rate limit; its name follows.</summary>
    public const string LimitPrefix = "limit:";

    /// <summary>Begins the word of a service's failure.</summary>
    public const string UpstreamPrefix = "upstream:";
}
