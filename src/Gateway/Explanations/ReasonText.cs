using Gateway.Telemetry;
using IotCredentials.Http;

namespace Gateway.Explanations;

/// <summary>What each reason of the access log means, and what to do. The words are those of docs/access-log.md.</summary>
internal sealed record ReasonText(string Why, string Do)
{
    private const string AskIssuer = "ask for a new token, and compare it with the scheme by explain and the token";
    private const string LookAtService = "look at the service, at its health checks on the console's page Clusters, and at doctor";

    private static readonly Dictionary<string, ReasonText> s_known = new(StringComparer.Ordinal)
    {
        [GatewayReason.EncodedSlash] = new(
            "the path has an encoded slash or backslash, which servers read in different ways", "the client has to send it without"),
        [GatewayReason.Path] = new(
            "the path is ambiguous: dot segments, empty segments, or characters that servers read in different ways", "the client has to send a plain path"),
        [GatewayReason.Framing] = new(
            "the length of the body is ambiguous", "look at the client, or at a proxy in between: it may be an attempt to smuggle a request"),
        [GatewayReason.BadRequest] = new(
            "AllowedHosts does not name the host, two routes fit the request, or HTTP does not allow it", "compare the host with AllowedHosts, and run check"),
        [ErrorReason.NoToken] = new(
            "no token or API key was sent", "the client has to send Authorization: Bearer TOKEN; see whether a proxy removes the header"),
        [GatewayReason.TokenExpired] = new(
            "the token had expired", "the client has to get a new one in time; if its clock and the issuer's differ, mend the clock"),
        [GatewayReason.TokenNotYetValid] = new(
            "the token was not valid yet",
            "compare the clocks of the issuer and of this machine; a scheme's ClockSkew is the tolerance"),
        [GatewayReason.TokenLifetime] = new("the token never expires, or before it becomes valid", "the issuer has to issue tokens that end"),
        [GatewayReason.Audience] = new("the token's aud is none of the scheme's ValidAudiences, or its client none of ClientIds", AskIssuer),
        [GatewayReason.Issuer] = new("no scheme has the token's iss", "compare its iss with Authority and ValidIssuers of the schemes, letter for letter"),
        [GatewayReason.Algorithm] = new("the token is not signed by an algorithm that is accepted", "the issuer has to sign with RS, PS or ES"),
        [GatewayReason.Signature] = new(
            "the token's signature does not verify",
            "the token was changed, or is of another environment; if many fail, ask the issuer's operators"),
        [GatewayReason.SigningKey] = new(
            "the issuer does not publish the key that the token names",
            "ask the issuer's operators; a new key is read within seconds of the first token with it"),
        [GatewayReason.TokenClaims] = new("it is no access token, or a claim is missing or wrong", AskIssuer),
        [GatewayReason.TokenUnreadable] = new("it is no JSON web token, or it is encrypted", "the client has to send the access token, unchanged"),
        [GatewayReason.Ambiguous] = new("two tokens or keys were sent, or a token and a key", "the client has to send one"),
        [GatewayReason.ApiKey] = new("there is no such API key", "compare the key's hash, from api-key hash, with Authentication:ApiKeys:Keys"),
        [GatewayReason.ApiKeyExpired] = new("the API key has expired", "make a new one by api-key create, or set another Expires: this is live"),
        [GatewayReason.Introspection] = new(
            "the introspection endpoint does not accept the token or key",
            "ask its operators: it was revoked, or is of another environment"),
        [ErrorReason.Organization] = new(
            "the organization of the path is none of the caller's",
            "if the caller should have it, the issuer has to name it in the organization claim; ids are case-sensitive"),
        [GatewayReason.Scopes] = new("the caller has none of the scopes that the policy asks for", "the client has to ask for a token with one of them"),
        [GatewayReason.Roles] = new(
            "the caller has none of the roles that the policy asks for", "give the caller one of them at the issuer, and use a new token"),
        [GatewayReason.Schemes] = new("the policy does not accept callers of this scheme", "use a token of another issuer, or change the policy's Schemes"),
        [ErrorReason.Policy] = new("the caller does not meet the policy", "compare the caller with the policy by explain and the token"),
        [GatewayReason.ClientAddress] = new(
            "the client's address is not in the IpAllow of the route or of the API key",
            "add it there; if it is the address of a proxy, add the proxy to Edge:TrustedProxies"),
        [ErrorReason.OrganizationUnknown] = new(
            "the organization directory does not know the organization", "add it there, or under IotCredentials:Organizations"),
        [ErrorReason.CallerClaims] = new("the profile has sessions of a caller, and the token does not name one", "use a token with a subject"),
        [ErrorReason.NoPolicy] = new("the credential route has no authorization policy", "give the route one that has RequireOrganization"),
        [GatewayReason.NoRoute] = new("no route matches", "compare the path with the routes that check lists"),
        [ErrorReason.Method] = new(
            "the method is not allowed, on any route or on this one", "use one of those that Edge:Methods and the route's Methods allow"),
        [GatewayReason.Misdirected] = new(
            "the host selects another entry of the endpoint's Sni than the name in the TLS handshake, with another ClientCertificateMode or SslProtocols",
            "the client has to open a connection for that host, with its name in the handshake; a proxy in between has to send the name of the host"),
        [GatewayReason.RequestTimeout] = new("the request did not arrive in time", "look at the client's network; it is no fault of the route"),
        [GatewayReason.BodyTooLarge] = new("the body is larger than allowed", "send less, or raise the route's MaxRequestBodySize"),
        [GatewayReason.HeadersTooLarge] = new(
            "the service takes fewer bytes of headers over HTTP/2 than the client sent", "send less, cookies above all, or raise the limit of the service"),
        [ErrorReason.OrganizationId] = new("the organization id of the path is malformed", "compare it with IotCredentials:OrganizationId"),
        [ErrorReason.MinimumLifetime] = new(
            "minimumLifetime is no number of seconds that the profile can give", "ask for at most SessionDuration less RefreshAfter of the profile"),
        [GatewayReason.LockedOut] = new(
            "the client's address had sent too many tokens that were refused",
            "see why those were refused; if it is the address of a proxy, add the proxy to Edge:TrustedProxies"),
        ["limit"] = new(
            "the rate limit was used up",
            "the client has to wait as Retry-After says; raise the limit's PermitLimit if it is too low: this is live"),
        [GatewayReason.Upgrades] = new(
            "too many WebSockets were open, of this caller or of all", "close some, or raise Edge:UpgradesPerCaller or Kestrel's limit"),
        [GatewayReason.InFlight] = new(
            "too many requests were in flight, of this caller or of all", "look for a slow service; the runbook has more: too many requests in flight"),
        [GatewayReason.ClientLeft] = new(
            "the client disconnected before the response began, or its token expired while it sent the body", "look at the client's timeout"),
        [GatewayReason.Internal] = new("a fault of the gateway", "look for the request id in the ordinary log, and report it"),
        ["upstream"] = new("the service failed", LookAtService),
        ["upstream:request"] = new("the service could not be reached, hung up, or sent no valid response", LookAtService),
        ["upstream:request_timed_out"] = new("the service was silent for too long", "look at the service; ActivityTimeout of the cluster is the limit"),
        ["upstream:no_available_destinations"] = new(
            "no destination was healthy and of a weight above 0", "look at the console's page Clusters, and at the HealthCheck of the cluster"),
        [GatewayReason.IssuerUnavailable] = new(
            "the issuer's keys could not be read, or not yet again for an unknown key", "look at doctor, and at the way to the issuer"),
        [GatewayReason.IntrospectionUnavailable] = new("the introspection endpoint could not be asked", "look at doctor, and at the way to the endpoint"),
        ["vend"] = new("there were no credentials to hand out", "look at doctor with the organization, and at the runbook: 503 vends"),
        ["vend:throttled"] = new("AWS throttled the call, or the gateway's own budget was used up", "see the runbook: STS throttles"),
        ["vend:refused"] = new("AWS refused the call", "look at the role and its trust policy; explain with the organization shows the call"),
        ["vend:too_short"] = new("AWS granted less time than the profile requires", "raise the role's maximum session, or lower MinimumLifetime"),
        ["vend:credentials"] = new("the gateway's own AWS credentials are not accepted", "doctor names their source and the remedy"),
        [GatewayReason.Timeout] = new("the route's Timeout passed before the response began", "look at the service, or raise the Timeout"),
        [GatewayReason.Loop] = new(
            "the request came back to a gateway that it had gone through", "a destination leads back to the gateway: correct its address"),
        [GatewayReason.Other] = new("another error response of the gateway", "look for the request id in the ordinary log"),
    };

    /// <summary>The text for a reason; null if no gateway says it.</summary>
    public static ReasonText? Of(string reason) =>
        s_known.GetValueOrDefault(reason) ?? (reason.Split(':') is [("limit" or "upstream" or "vend") and var kind, _] ? s_known[kind] : null);
}
