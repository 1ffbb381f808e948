using System.Text.Json.Nodes;
using Sandbox;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>Only access tokens are accepted, whatever else an issuer signs with the same key for the same audience (RFC 8725, 3.11).</summary>
public sealed class TokenKindTests(TokenKindTests.Issuers platform) : IClassFixture<TokenKindTests.Issuers>
{
    private const string Path = "/plain/kinds";

    [Theory]
    [InlineData("logout+jwt")]
    [InlineData("secevent+jwt")]
    [InlineData("application/secevent+jwt")]
    [InlineData("dpop+jwt")]
    [InlineData("id+jwt")]
    [InlineData("ID")]
    [InlineData("Refresh")]
    [InlineData("token-introspection+jwt")]
    [InlineData("kb+jwt")]
    [InlineData("dc+sd-jwt")]
    [InlineData("oauth-authz-req+jwt")]
    [InlineData("client-authentication+jwt")]
    [InlineData("JOSE")]
    [InlineData("at+jwt ")]
    [InlineData("")]
    public async Task S26_a_token_of_another_type_is_refused_everywhere(string type)
    {
        await ExpectAsync(401, new() { Type = type });
        await ExpectAsync(401, new() { Type = type }, platform.Lenient);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("JWT")]
    [InlineData("jwt")]
    [InlineData("application/jwt")]
    [InlineData("at+jwt")]
    [InlineData("AT+JWT")]
    [InlineData("application/at+jwt")]
    [InlineData("Application/AT+JWT")]
    public async Task S26_an_access_tokens_types_are_accepted(string? type) => await ExpectAsync(200, new() { Type = type });

    [Theory]
    [InlineData("S26 a typ that is no text", """{"alg":"RS256","kid":"KID","typ":7}""")]
    [InlineData("S26 two types", """{"alg":"RS256","kid":"KID","typ":"at+jwt","typ":"logout+jwt"}""")]
    [InlineData("S26 b64", """{"alg":"RS256","kid":"KID","typ":"at+jwt","b64":true}""")]
    [InlineData("S26 b64 and crit", """{"alg":"RS256","kid":"KID","typ":"at+jwt","b64":false,"crit":["b64"]}""")]
    [InlineData("S26 an empty crit", """{"alg":"RS256","kid":"KID","typ":"at+jwt","crit":[]}""")]
    public async Task A_header_that_means_something_else_is_refused(string name, string header)
    {
        Assert.NotEmpty(name);
        await ExpectAsync(401, new() { RawHeader = header.Replace("KID", platform.World.Issuer.CurrentKey.KeyId, StringComparison.Ordinal) });
    }

    [Theory]
    [InlineData("token_use", "\"refresh\"", 401, 401)]
    [InlineData("token_use", "\"id\"", 401, 200)]
    [InlineData("token_use", "\"access\"", 200, 200)]
    [InlineData("token_use", "[\"access\"]", 401, 401)]
    [InlineData("token_use", "null", 401, 401)]
    [InlineData("typ", "\"Refresh\"", 401, 401)]
    [InlineData("typ", "\"Offline\"", 401, 401)]
    [InlineData("typ", "\"Logout\"", 401, 401)]
    [InlineData("typ", "\"DPoP\"", 401, 401)]
    [InlineData("typ", "\"ID\"", 401, 200)]
    [InlineData("typ", "\"Bearer\"", 200, 200)]
    [InlineData("typ", "\"JWT\"", 200, 200)]
    [InlineData("token_type", "\"refresh\"", 401, 401)]
    [InlineData("token_type", "\"access\"", 200, 200)]
    [InlineData("token_usage", "\"id_token\"", 401, 200)]
    [InlineData("tokenName", "\"id_token\"", 401, 200)]
    [InlineData("tokenType", "\"id-token\"", 401, 200)]
    [InlineData("tokenType", "\"Bearer\"", 200, 200)]
    [InlineData("cnf", "{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}", 401, 401)]
    [InlineData("cnf", "{\"x5t#S256\":\"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2\"}", 401, 401)]
    [InlineData("events", "{\"http://schemas.openid.net/event/backchannel-logout\":{}}", 401, 401)]
    [InlineData("token_introspection", "{\"active\":true}", 401, 401)]
    public async Task S26_a_claim_that_tells_the_kind_is_believed(string claim, string json, int status, int whereIdTokensAreAccepted)
    {
        foreach (var type in (string?[])["JWT", null, "at+jwt"])
        {
            var token = new TokenRequest { Type = type, Claims = new Dictionary<string, object?> { [claim] = JsonNode.Parse(json) } };
            await ExpectAsync(status, token);
            await ExpectAsync(whereIdTokensAreAccepted, token, platform.Lenient);
        }
    }

    [Theory]
    [InlineData(
        "Cloud Foundry's UAA",
        """{"jti":"1","client_id":"app","cid":"app","grant_type":"password","user_id":"u","user_name":"alice","rev_sig":"1","scope":["read"]}""",
        """{"jti":"1-r","client_id":"app","cid":"app","grant_type":"password","user_id":"u","user_name":"alice","rev_sig":"1","granted_scopes":["read"]}""")]
    [InlineData(
        "Spring Security OAuth",
        """{"user_name":"alice","scope":["read"],"authorities":["a"],"jti":"1","client_id":"app"}""",
        """{"user_name":"alice","scope":["read"],"ati":"1","authorities":["a"],"jti":"2","client_id":"app"}""")]
    [InlineData(
        "Casdoor",
        """{"owner":"acme","name":"alice","tokenType":"access-token","azp":"app","scope":"read","nonce":"n-0S6_WzA2Mj"}""",
        """{"owner":"acme","name":"alice","tokenType":"refresh-token","azp":"app","scope":"read","nonce":"n-0S6_WzA2Mj"}""")]
    [InlineData(
        "PingAM",
        """{"tokenName":"access_token","token_type":"Bearer","auth_time":1700000000,"grant_type":"authorization_code","scope":["read"]}""",
        """{"tokenName":"refresh_token","token_type":"Bearer","auth_time":1700000000,"grant_type":"authorization_code","scope":["read"]}""")]
    [InlineData("OpenIddict", """{"token_usage":"access_token","scope":"read"}""", """{"token_usage":"refresh_token","scope":"read"}""")]
    public async Task S26_a_refresh_token_is_told_from_its_access_token(string issuer, string access, string refresh)
    {
        Assert.NotEmpty(issuer);
        foreach (var type in (string?[])["JWT", null])
        {
            await ExpectAsync(200, Token(type, access));
            await ExpectAsync(200, Token(type, access), platform.Lenient);
            await ExpectAsync(401, Token(type, refresh));
            await ExpectAsync(401, Token(type, refresh), platform.Lenient);
        }
    }

    [Theory]
    [InlineData("S26 of the code flow, with the time of sign-in", """{"auth_time":1700000000}""", 401)]
    [InlineData("S26 of the code flow, with how somebody signed in", """{"amr":["pwd"],"acr":"1"}""", 401)]
    [InlineData("S26 of the code flow, with a session", """{"sid":"08a5019c-17e1-4977-8f42-65a12843ea02"}""", 401)]
    [InlineData("S26 of the code flow, with a profile", """{"name":"Alice","preferred_username":"alice"}""", 401)]
    [InlineData("S26 of the code flow, with an address", """{"email":"alice@example.com","email_verified":true,"azp":"app"}""", 401)]
    [InlineData("of the implicit flow, with a claim typ that says JWT", """{"typ":"JWT","nonce":"n-0S6_WzA2Mj"}""", 401)]
    [InlineData("of the hybrid flow, with a claim typ that says JWT", """{"typ":"jwt","at_hash":"x","c_hash":"y","scope":"openid"}""", 401)]
    [InlineData("of the code flow, with a claim typ that says JWT", """{"typ":"JWT","auth_time":1700000000}""", 401)]
    [InlineData("an access token with a claim typ that says JWT", """{"typ":"JWT","client_id":"app","sid":"1"}""", 200)]
    [InlineData("S26 an access token as Auth0 writes it", """{"azp":"app","scope":"openid read","permissions":[]}""", 200)]
    [InlineData("S26 an access token as Okta writes it", """{"ver":1,"cid":"app","uid":"00u","scp":["read"],"auth_time":1700000000}""", 200)]
    [InlineData(
        "S26 an access token as AD FS writes it", """{"appid":"app","apptype":"Public","auth_time":"2024-01-01T00:00:00Z","scp":"read","ver":"1.0"}""", 200)]
    [InlineData("S26 an access token with a profile and a client", """{"client_id":"app","email":"alice@example.com"}""", 200)]
    [InlineData("S26 a profile beside an empty scope", """{"scope":"","name":"Alice"}""", 401)]
    [InlineData("S26 a profile beside an empty list of scopes", """{"scp":[],"email":"alice@example.com"}""", 401)]
    [InlineData("S26 a profile beside a client that is no text", """{"appid":5,"name":"Alice"}""", 401)]
    [InlineData("S26 an access token of a service account", """{"azp":"app"}""", 200)]
    [InlineData("S26 an ID token of Entra, version 2, without a profile", """{"tid":"t","uti":"u","rh":"r","ver":"2.0"}""", 401)]
    [InlineData("S26 an ID token of Entra, version 2, with roles", """{"tid":"t","oid":"o","aio":"a","roles":["reader"],"ver":"2.0"}""", 401)]
    [InlineData("S26 an ID token of Entra, version 1", """{"tid":"t","upn":"alice@example.com","unique_name":"alice@example.com","ver":"1.0"}""", 401)]
    [InlineData("S26 an ID token of AD FS", """{"unique_name":"EXAMPLE\\alice","apptype":"Public"}""", 401)]
    [InlineData("S26 an address that somebody signed in from", """{"ipaddr":"192.0.2.7"}""", 401)]
    [InlineData("S26 an ID token of Google", """{"azp":"app","hd":"example.com"}""", 401)]
    [InlineData("S26 an ID token of B2C", """{"emails":["alice@example.com"],"ver":"1.0"}""", 401)]
    [InlineData("S26 an ID token of B2C by its user flow", """{"tfp":"B2C_1_sign_in","ver":"1.0"}""", 401)]
    [InlineData("S26 an ID token of Cognito", """{"cognito:username":"alice","cognito:groups":["a"]}""", 401)]
    [InlineData("S26 an ID token of Cognito, federated", """{"identities":[{"userId":"1","providerName":"Google"}]}""", 401)]
    [InlineData("S26 an ID token of Firebase", """{"user_id":"1","firebase":{"identities":{},"sign_in_provider":"password"}}""", 401)]
    [InlineData("S26 an ID token of Apple", """{"nonce_supported":true}""", 401)]
    [InlineData("S26 an ID token of Apple with a private address", """{"is_private_email":"true","real_user_status":2}""", 401)]
    [InlineData("S26 a name to sign in with", """{"username":"alice"}""", 401)]
    [InlineData("S26 a hint for the next sign-in", """{"login_hint":"alice"}""", 401)]
    [InlineData("S26 a session's state", """{"session_state":"08a5019c"}""", 401)]
    [InlineData("S26 of Identity Assurance", """{"verified_claims":{"claims":{}}}""", 401)]
    [InlineData("S26 of a self-issued provider", """{"sub_jwk":{"kty":"RSA"},"client_id":"app"}""", 401)]
    [InlineData(
        "S26 an access token as Entra writes it, version 2",
        """{"azp":"app","azpacr":"1","oid":"o","rh":"r","tid":"t","uti":"u","scp":"read","name":"Alice","preferred_username":"alice","ver":"2.0"}""", 200)]
    [InlineData(
        "S26 an application's as Entra writes it, version 2",
        """{"azp":"app","azpacr":"1","oid":"o","rh":"r","tid":"t","uti":"u","roles":["reader"],"ver":"2.0"}""", 200)]
    [InlineData(
        "S26 an access token as Entra writes it, version 1",
        """{"appid":"app","appidacr":"1","ipaddr":"192.0.2.7","oid":"o","upn":"alice","unique_name":"alice","scp":"read","tid":"t","ver":"1.0"}""", 200)]
    [InlineData(
        "S26 an application's as Entra writes it, version 1",
        """{"appid":"app","appidacr":"1","idtyp":"app","oid":"o","rh":"r","tid":"t","uti":"u","ver":"1.0"}""", 200)]
    [InlineData("S26 an access token as B2C writes it", """{"azp":"app","scp":"read","tfp":"B2C_1_sign_in","emails":["alice@example.com"],"ver":"1.0"}""", 200)]
    [InlineData(
        "S26 an access token as Keycloak writes it",
        """{"typ":"Bearer","azp":"app","session_state":"s","sid":"s","acr":"1","preferred_username":"alice","scope":"openid"}""", 200)]
    [InlineData(
        "S26 an access token as Cognito writes it",
        """{"token_use":"access","client_id":"app","username":"alice","cognito:groups":["a"],"auth_time":1700000000}""", 200)]
    [InlineData("S26 a machine's access token as Auth0 writes it", """{"azp":"app","gty":"client-credentials"}""", 200)]
    [InlineData("S26 a machine's access token as Okta writes it", """{"ver":1,"cid":"app","scp":["read"]}""", 200)]
    [InlineData("S26 a service account's token as Kubernetes writes it", """{"kubernetes.io":{"namespace":"default"}}""", 200)]
    public async Task An_untyped_token_is_told_by_what_it_says(string name, string claims, int status)
    {
        Assert.NotEmpty(name);
        foreach (var type in (string?[])["JWT", null])
        {
            var token = Token(type, claims);
            await ExpectAsync(status, token);
            await ExpectAsync(200, token, platform.Lenient);
        }
    }

    private static TokenRequest Token(string? type, string claims) => new()
    {
        Type = type,
        Claims = JsonNode.Parse(claims)!.AsObject().ToDictionary(claim => claim.Key, claim => (object?)claim.Value),
    };

    private async Task ExpectAsync(int status, TokenRequest token, OpenIdProvider? issuer = null)
    {
        var answer = await platform.SendAsync(Path, (issuer ?? platform.World.Issuer).Issue(token));
        Assert.True(answer.Status == status, $"{answer.Status} {answer.Body}\n{platform.Gateway.Log.Text}");
    }

    public sealed class Issuers : PlatformFixture
    {
        /// <summary>An issuer whose ID tokens are accepted.</summary>
        public OpenIdProvider Lenient { get; private set; } = null!;

        protected override async ValueTask PrepareAsync() => Lenient = await OpenIdProvider.StartAsync();

        protected override void Change(JsonObject settings) => settings
            .Set("Edge:FailedAuthentications:PermitLimit", "100000")
            .Set("Authentication:Schemes:Lenient", $$"""
                { "Authority": "{{Lenient.Issuer}}", "RequireHttpsMetadata": false, "ValidAudiences": ["api://gateway"], "AcceptIdTokens": true }
                """);
    }
}
