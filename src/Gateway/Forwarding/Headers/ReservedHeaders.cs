using System.Collections.Frozen;

namespace Gateway.Forwarding.Headers;

/// <summary>The request headers that a client must not send to a service.</summary>
internal static class ReservedHeaders
{
    /// <summary>Headers that the gateway sets on every forwarded request. No transform changes them.</summary>
    public static HeaderPatterns Own { get; } = new(
        "X-Request-Id", "X-Gateway-Subject", "X-Gateway-Issuer", "X-Gateway-Organization", "traceparent", "tracestate", "Via");

    /// <summary>Headers for the caller's identity, the request's origin and the request's id. A service gets them from the gateway or not at all.</summary>
    public static HeaderPatterns Identity { get; } = new(
        "X-Gateway-*", "X-Forwarded", "X-Forwarded-*", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "X-Original-*", "X-Rewrite-*",
        "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "Remote-User", "X-Auth-Request-*", "X-MS-Client-Principal*", "X-Amzn-Oidc-*",
        "baggage", "Correlation-Context", "X-Request-Id", "traceparent", "tracestate");

    /// <summary>
    /// The same information under the names of other proxies. A service that once ran behind one of them may still trust these headers. A route's
    /// <c>ForwardHeaders</c> lets single ones pass.
    /// </summary>
    public static HeaderPatterns OfOtherProxies { get; } = new(
        // The caller and its permissions, under common names.
        "*-User", "*-User-Id", "*-UserId", "*-User-Name", "*-UserName", "*-UserInfo", "*-Email", "*-Principal", "*-Identity", "*-Claims", "*-Groups", "*-Roles",
        "*-Permissions", "*-Scopes", "X-User-*", "X-Email-*", "X-Identity*", "X-Claims-*", "X-Role", "X-Scope", "X-Scope-*",
        // Proofs of identity: keys, tokens and certificates (RFC 9440, nginx, Apache, HAProxy, F5).
        "X-API-Key", "X-Token", "X-Token-*", "X-ID-Token", "X-Access-Token", "X-Refresh-Token", "X-JWT-*", "*-Cert", "*-ClientCert", "*-Certificate",
        "Client-Cert-*", "X-Client-Cert*", "X-Client-DN", "X-Client-CN", "X-Client-Verify*", "X-Client-Subject*", "X-Client-Issuer*", "X-SSL-*", "SSL-*",
        "X-TLS-*", "X-MTLS-*", "Cert-*", "X-Cert-*", "X-Peer-Cert*", "X-Spiffe-*",
        // Authenticating proxies: oauth2-proxy, Authelia, authentik, Pomerium, Vouch, Tailscale, Teleport, louketo, Traefik, Linkerd, Athenz, Kubeflow.
        "Auth-*", "X-Auth-*", "GAP-*", "Remote-*", "X-Authentik-*", "X-Pomerium-*", "X-Vouch-*", "Tailscale-*", "Teleport-*", "X-Teleport-*", "X-WebAuth-*",
        "L5d-*", "X-Remote-*", "X-Authenticated-*", "X-Authentication-*", "X-SSO-*", "X-SAML-*", "X-Athenz-*", "Kubeflow-*",
        // API gateways: Kong, APISIX, WSO2, Istio, Google's and Amazon's API gateways, Tyk, Gravitee, RapidAPI; nginx.
        "X-Consumer-*", "X-Credential-*", "X-Anonymous-Consumer", "X-Kong-*", "X-APISIX-*", "X-WSO2-*", "X-Endpoint-API-*", "X-Apigateway-*", "X-Ambassador-*",
        "X-Tyk-*", "X-Gravitee-*", "X-RapidAPI-*", "X-Mashape-*", "X-Istio-*", "X-Nginx-*",
        // Modules of web servers and single sign-on: mod_auth_openidc, Mellon, Shibboleth, SiteMinder, WebSEAL, Oracle, IIS; Kubernetes' front proxy.
        "OIDC-*", "MELLON-*", "Shib-*", "SM-*", "IV-*", "OAM-*", "OSSO-*", "Logon-*", "X-IISNode-*", "Impersonate-*",
        // Clouds and content delivery networks.
        "X-Envoy-*", "CF-*", "CloudFront-*", "X-Amz-Cf-*", "X-Amzn-*", "X-Goog-*", "X-AppEngine-*", "X-Serverless-*", "X-Azure-*", "X-ARR-*",
        "X-MS-Token-*", "X-MS-Original-*", "X-FD-*", "Disguised-*", "WAS-*", "X-WAWS-*", "X-AppService-*", "X-Site-Deployment-Id",
        "Fastly-*", "Akamai-*", "X-Akamai-*", "Ali-*", "Incap-*", "X-Sucuri-*", "Fly-*", "X-Vercel-*", "X-NF-*",
        // A client's address, host, scheme or path under further names, and headers that make a server use another method, host or file.
        "*-IP", "*-ClientIP", "*-Remote-Addr", "*-Forwarded-For", "Forwarded-*", "X-Forward-*", "X-Forwarder-*", "X-Originating-*", "X-ProxyUser-*", "X-Real-*",
        "X-Custom-IP-*", "WL-Proxy-*", "HTTP-*", "X-HTTP-*", "*-Override", "X-Host", "X-Host-*", "X-Scheme", "X-URL-Scheme", "X-Script-Name", "Front-End-Https",
        "X-Request-URI", "X-Request-URL", "X-Request-Path", "X-Rewrit*", "X-Accel-*", "X-Sendfile-*",
        // Trace headers of other conventions than the W3C's.
        "b3", "X-B3-*", "uber-trace-id", "uberctx-*", "X-Datadog-*", "X-Cloud-Trace-Context", "X-OT-*", "ot-tracer-*", "ot-baggage-*", "sentry-trace",
        "grpc-trace-bin", "grpc-tags-bin", "Request-Id");

    /// <summary>Headers that match a pattern above, but that clients themselves send: gRPC-Web's name of the browser.</summary>
    public static FrozenSet<string> OfClients { get; } = FrozenSet.ToFrozenSet(["X-User-Agent"], StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Headers for the next server only. Also names that, after the same mapping, would state a second body length or redirect a service's own requests.
    /// </summary>
    public static HeaderPatterns OfOneHop { get; } = new(
        "Connection", "Upgrade", "Expect", "HTTP2-Settings", "Keep-Alive", "TE", "Trailer", "Content-Length", "X-Content-Length", "Transfer-Encoding",
        "Proxy", "Proxy-*");

    /// <summary>Whether a header with that name is removed from every client's request, whatever the route's configuration.</summary>
    public static bool IsRemovedAlways(string name) => Identity.Contains(name) || OfOneHop.Contains(name);

    /// <summary>Whether a header with that name is removed from a client's request unless the route names it in <c>ForwardHeaders</c>.</summary>
    public static bool IsRemovedByDefault(string name) => OfOtherProxies.Contains(name) && !OfClients.Contains(name);
}
