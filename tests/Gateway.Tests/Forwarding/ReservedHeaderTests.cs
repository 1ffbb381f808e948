using System.Text.Json.Nodes;
using Gateway.Tests.Configuration;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>What other proxies say to the services behind them is not a client's to say here.</summary>
public sealed class ReservedHeaderTests(ReservedHeaderTests.Services platform) : IClassFixture<ReservedHeaderTests.Services>
{
    private static readonly string[] s_ofOtherProxies =
    [
        "X-Envoy-External-Address", "X-Envoy-Original-Path", "X-Forwarded-Client-Cert", "CF-Connecting-IP", "CF-Connecting-IPv6", "Cf-Access-Jwt-Assertion",
        "Cf-Access-Authenticated-User-Email", "CF-IPCountry", "X-Remote-User", "X-Remote-Group", "X-Remote-Extra-Scopes", "Impersonate-User",
        "X-Goog-Authenticated-User-Email", "X-Goog-Authenticated-User-Id", "X-Goog-IAP-JWT-Assertion", "X-AppEngine-User-Ip", "X-Apigateway-Api-Userinfo",
        "X-Apigateway-Event", "X-Endpoint-API-UserInfo", "X-Client-Cert", "X-Client-Certificate", "Client-Cert", "Client-Cert-Chain", "X-SSL-Client-Cert",
        "X-SSL-Client-S-DN", "X-SSL-Client-Verify", "SSL-Client-Cert", "SSL-Client-Subject-DN", "X-Client-DN", "X-Client-Verify", "X-TLS-Client-Cert",
        "X-WEBAUTH-USER", "X-WebAuth-Email", "X-Authenticated-User", "X-Authenticated-UserId", "X-Authenticated-Scope", "X-Authenticated-Groups", "X-Amz-Cf-Id",
        "CloudFront-Viewer-Address", "X-Amzn-Mtls-Clientcert", "X-Amzn-Trace-Id", "Fastly-Client-IP", "X-Azure-ClientIP", "X-Azure-FDID", "X-ARR-ClientCert",
        "X-MS-TOKEN-AAD-ACCESS-TOKEN", "X-Cluster-Client-IP", "Client-IP", "X-User", "X-User-Id", "X-User-Email", "X-User-Roles", "X-Username", "X-Userinfo",
        "X-Token-Subject", "X-ID-Token", "X-Access-Token", "X-Vouch-User", "X-Vouch-IdP-Claims-Groups", "X-Pomerium-Jwt-Assertion", "X-Pomerium-Claim-Email",
        "Tailscale-User-Login", "X-Authentik-Username", "X-Authentik-Groups", "Remote-Groups", "Remote-Email", "Remote-Name", "X-Consumer-ID",
        "X-Consumer-Username", "X-Consumer-Groups", "X-Credential-Identifier", "X-Anonymous-Consumer", "X-JWT-Assertion", "X-JWT-Payload", "X-Auth-Username",
        "X-Auth-Roles", "X-Auth-Userid", "OIDC_CLAIM_sub", "OIDC-Access-Token", "MELLON_NAME_ID", "Shib-Session-ID", "SM_USER", "IV-User", "IV-Groups",
        "OAM_REMOTE_USER", "Teleport-Jwt-Assertion", "L5d-Client-Id", "X-Scope-OrgID", "WL-Proxy-Client-IP", "Proxy-Client-IP", "HTTP_CLIENT_IP",
        "HTTP_X_FORWARDED_FOR", "Fly-Client-IP", "DO-Connecting-IP", "X-Vercel-Forwarded-For", "X-NF-Client-Connection-IP", "Akamai-Origin-Hop",
        "X-Originating-IP", "X-ProxyUser-Ip", "X-Script-Name", "X-Scheme", "Front-End-Https", "X-HTTP-Host-Override", "X-Host", "X-Accel-Mapping",
        "X-Sendfile-Type", "b3", "X-B3-TraceId", "uber-trace-id", "X-Cloud-Trace-Context", "X-Email", "Kubeflow-UserId", "AUTH_USER", "AUTH_TYPE", "LOGON_USER",
        "UNMAPPED_REMOTE_USER", "X-IISNode-AUTH_USER", "X-IISNode-REMOTE_ADDR", "Disguised-Host", "WAS-Default-Hostname", "X-WAWS-Unencoded-URL",
        "X-Site-Deployment-Id", "X-AppService-Proto", "Ali-CDN-Real-IP", "EO-Client-IP", "Cdn-Src-Ip", "X-Tencent-ClientIP", "X-Nginx-Forwarded-For",
        "X-Tyk-Authorization", "X-Tyk-Session-Meta", "X-Grafana-User", "X-Grafana-Email", "X-Athenz-Principal", "X-Athenz-Domain", "X-Spiffe-Id",
        "X-Kong-Consumer", "X-Kong-Client-Id", "X-APISIX-Consumer", "X-WSO2-Claims", "X-Claims", "X-Token", "X-Permissions", "X-Scopes", "X-Scope",
        "X-ClientCert", "X-Certificate", "X-MTLS-ClientCert", "X-MTLS-Serial", "X-Proxy-Cert", "CERT_SUBJECT", "X-Nginx-SSL-Client-S-DN", "X-Nginx-SSL-Verify",
        "X-Verified-User", "X-Verified-Email", "X-Session-User", "X-Session-UserId", "X-Session-Roles", "X-Portal-Username", "X-Portal-Groups",
        "X-Actor-Principal", "X-Request-URI", "X-Request-URL", "X-Rewrited-URL", "X-Rewritten-Path", "X-Path-Override", "X-API-Key", "X-ApI_kEy",
        "X-A-Header-That-Is-Longer-Than-What-Is-Compared-Of-A-Name-And-Says-The-User",
        "X-Tyk-Header-That-Is-Longer-Than-What-Is-Compared-Of-A-Name-And-Says-A-Thing",
    ];

    [Fact]
    public async Task S28_what_other_proxies_say_is_not_a_clients_to_say()
    {
        foreach (var names in s_ofOtherProxies.Chunk(40))
        {
            var target = $"/plain/{Guid.NewGuid():N}";
            var answer = await platform.SendAsync(target, platform.World.Token("o-acme"), change: request =>
            {
                foreach (var name in names)
                {
                    request.Headers.TryAddWithoutValidation(name, "forged-as-it-is");
                    request.Headers.TryAddWithoutValidation(
                        name.Contains('_', StringComparison.Ordinal) ? name.Replace('_', '.') : name.Replace('-', '_').ToUpperInvariant(), "forged-otherwise");
                }
            });

            Assert.Equal(200, answer.Status);
            var received = Assert.Single(platform.Received(target)).Headers;
            Assert.Empty(received.Where(header => header.Value.Any(value => value.Contains("forged", StringComparison.Ordinal))).Select(header => header.Key));
        }
    }

    [Fact]
    public async Task S28_what_clients_say_themselves_arrives()
    {
        string[] names =
        [
            "X-User-Agent", "X-Requested-With", "X-Amz-Date", "X-MS-Version", "X-Correlation-Id", "X-Client-Version", "Idempotency-Key", "If-None-Match",
            "Sec-Fetch-Mode", "Sec-Fetch-User", "X-CSRF-Token", "X-Api-Version", "Range", "DNT", "X-Tenant-Id", "CDN-Loop", "X-Site-Id", "X-Request-Start",
            "X-Zip", "X-Ship", "X-Superuser", "Userinfo", "X-Concert", "From",
        ];
        var target = $"/plain/{Guid.NewGuid():N}";
        await platform.SendAsync(
            target, platform.World.Token("o-acme"), change: request => Array.ForEach(names, name => request.Headers.TryAddWithoutValidation(name, "1")));

        var received = Assert.Single(platform.Received(target)).Headers;
        Assert.Empty(names.Except(received.Keys, StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task S28_a_route_passes_on_what_it_names_and_no_other_spelling_of_it()
    {
        var target = $"/named/{Guid.NewGuid():N}";
        await platform.SendAsync(target, platform.World.Token("o-acme"), change: request =>
        {
            foreach (var name in (string[])["cf-ray", "CF_Ray", "CF-Connecting-IP", "X-User-Id", "X-User-Email", "X-Forwarded-User"])
                request.Headers.TryAddWithoutValidation(name, "client");
        });

        var received = Assert.Single(platform.Received(target)).Headers;
        Assert.Equal(
            ["cf-ray", "X-User-Id"],
            received.Where(header => header.Value.Contains("client")).Select(header => header.Key).Order(StringComparer.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("S28 fine", "CF-Ray, x-user-id", null)]
    [InlineData("S28 a service's own key and a name by its end", "X-API-Key, X-Session-User", null)]
    [InlineData("S28 the gateway's own", "X-Gateway-Role", "never taken from a client")]
    [InlineData("S28 the gateway's own, otherwise spelled", "x_gateway_subject", "never taken from a client")]
    [InlineData("S28 a trace", "traceparent", "never taken from a client")]
    [InlineData("S28 a request id", "X-Request-Id", "never taken from a client")]
    [InlineData("S28 an address", "X-Forwarded-For", "never taken from a client")]
    [InlineData("S28 another method", "X-HTTP-Method-Override", "never taken from a client")]
    [InlineData("S28 Via", "Via", "never taken from a client")]
    [InlineData("S28 a header of the connection", "TE", "never taken from a client")]
    [InlineData("S28 a length", "Content-Length", "never taken from a client")]
    [InlineData("S28 a token", "Authorization", "ForwardAuthorization")]
    [InlineData("S28 cookies", "cookie", "ForwardAuthorization or ForwardCookies")]
    [InlineData("S28 a pattern", "CF-*", "patterns are not supported")]
    [InlineData("S28 no name", "CF Ray", "not the name of a header")]
    [InlineData("S28 nothing", " , ", "is empty")]
    public void ForwardHeaders_names_headers_of_other_proxies_alone(string name, string value, string? message)
    {
        using var configuration = new ConfigurationFixture();
        configuration.Set("ReverseProxy:Routes:named", new JsonObject
        {
            ["ClusterId"] = "organizations",
            ["Match"] = new JsonObject { ["Path"] = "/named" },
            ["Metadata"] = new JsonObject { ["ForwardHeaders"] = value },
        }.ToJsonString());

        if (message is null) Assert.True(configuration.Load().Snapshot is not null, name);
        else
        {
            var error = configuration.LoadBad();
            Assert.Equal("ReverseProxy:Routes:named:Metadata:ForwardHeaders", error.Key);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }
    }

    public sealed class Services : PlatformFixture
    {
        protected override void Change(JsonObject settings) =>
            settings.Route("named", "/named/{**rest}", """{ "Metadata": { "ForwardHeaders": "CF-Ray, X-User-Id" } }""");
    }
}
