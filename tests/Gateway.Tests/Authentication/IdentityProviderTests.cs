using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Authentication.Keys;
using Gateway.Configuration.Loading;
using Gateway.Explanations;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Authentication;

/// <summary>
/// Every configuration of docs/identity-providers.md, with tokens of the shape that the provider documents. Only the provider's own discovery address responds.
/// </summary>
public sealed class IdentityProviderTests(IdentityProviderTests.Providers providers) : IClassFixture<IdentityProviderTests.Providers>
{
    private const string Tenant = "aabbccdd-1111-4111-8111-aabbccddeeff";
    private const string OtherTenant = "bbccddee-2222-4222-8222-bbccddeeff00";
    private const string SchemeTenant = "ccddeeff-3333-4333-8333-ccddeeff0011";
    private const string Application = "66666666-7777-8888-9999-000000000000";

    private const string Untyped = """{"kid":"KID","alg":"RS256"}""";
    private const string Jwt = """{"alg":"RS256","typ":"JWT","kid":"KID"}""";
    private const string AccessToken = """{"alg":"RS256","kid":"KID","typ":"at+jwt"}""";

    private static readonly Dictionary<string, Provider> s_providers = new()
    {
        ["Cognito"] = new("https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ExaMPle01", [
            new("B4 a user's access token", Untyped, Cognito("""
                "sub":"a1b2","cognito:groups":["operator"],"version":2,"client_id":"1example23456789","token_use":"access","scope":"openid iot.connect",
                "auth_time":IAT,"username":"alice","organizations":["o-acme"]
                """), Subject: "a1b2", IsOperator: true, HasScope: true),
            new("B6 one organization as text", Untyped, Cognito("""
                "sub":"a1b2","version":2,"client_id":"1example23456789","token_use":"access","scope":"aws.cognito.signin.user.admin","organizations":"o-acme"
                """), Subject: "a1b2"),
            new("B4 an application's access token", Untyped, Cognito("""
                "sub":"2example23456789","version":2,"client_id":"2example23456789","token_use":"access","scope":"iot.connect","organizations":"o-acme"
                """), Subject: "2example23456789", HasScope: true),
            new("B4 an application that is not listed", Untyped, Cognito("""
                "sub":"a1b2","version":2,"client_id":"3example23456789","token_use":"access","scope":"openid","organizations":"o-acme"
                """), Failure: "the token's client_id is not one of 1example23456789, 2example23456789 (ClientIds)"),
            new("B4 an ID token", Untyped, Cognito("""
                "sub":"a1b2","aud":"1example23456789","token_use":"id","cognito:username":"alice","email":"alice@example.com","auth_time":IAT,
                "organizations":"o-acme"
                """), Failure: "the token is an ID token (token_use), and AcceptIdTokens is not set"),
        ]),
        ["AzureAd"] = new($"https://login.microsoftonline.com/{Tenant}/v2.0", [.. Entra(
            $"https://login.microsoftonline.com/{Tenant}/v2.0", $"https://sts.windows.net/{Tenant}/")]),
        ["AzureAd, many"] = new("https://login.microsoftonline.com/organizations/v2.0", [
            .. Entra($"https://login.microsoftonline.com/{Tenant}/v2.0", $"https://sts.windows.net/{Tenant}/"),
            new("another tenant's, of an organization that is not its own", Jwt, $$"""
                {"aud":"{{Application}}","iss":"https://login.microsoftonline.com/{{OtherTenant}}/v2.0","iat":IAT,"nbf":IAT,"exp":EXP,"azp":"c",
                "scp":"iot.connect","sub":"s","tid":"{{OtherTenant}}","ver":"2.0","organizations":["o-acme"]}
                """, Status: 403),
            new("a tenant that is not listed", Jwt, $$"""
                {"aud":"{{Application}}","iss":"https://login.microsoftonline.com/{{SchemeTenant}}/v2.0","iat":IAT,"nbf":IAT,"exp":EXP,"azp":"c",
                "scp":"iot.connect","sub":"s","tid":"{{SchemeTenant}}","ver":"2.0","organizations":["o-acme"]}
                """, Failure: "no scheme is configured for its issuer"),
        ], "https://login.microsoftonline.com/{tenantid}/v2.0"),
        ["AzureAd, https://login.microsoftonline.us/"] = new($"https://login.microsoftonline.us/{Tenant}/v2.0", [.. Entra(
            $"https://login.microsoftonline.us/{Tenant}/v2.0", $"https://sts.windows.net/{Tenant}/")]),
        ["AzureAd, https://login.partner.microsoftonline.cn/"] = new($"https://login.partner.microsoftonline.cn/{Tenant}/v2.0", [.. Entra(
            $"https://login.partner.microsoftonline.cn/{Tenant}/v2.0", $"https://sts.chinacloudapi.cn/{Tenant}/")]),
        ["AzureAd, https://contoso.ciamlogin.com/"] = new($"https://contoso.ciamlogin.com/{Tenant}/v2.0", [.. Entra(
            $"https://{Tenant}.ciamlogin.com/{Tenant}/v2.0", $"https://sts.windows.net/{Tenant}/")], $"https://{Tenant}.ciamlogin.com/{Tenant}/v2.0"),
        ["Entra"] = new($"https://login.microsoftonline.com/{SchemeTenant}/v2.0", [.. Entra(
            $"https://login.microsoftonline.com/{SchemeTenant}/v2.0", $"https://sts.windows.net/{SchemeTenant}/")]),
        ["Adfs"] = new("https://adfs.example.com/adfs", [
            new("B5 B7 a service's access token", Jwt, Adfs("""
                "aud":"api://gateway","iss":"http://adfs.example.com/adfs/services/trust","apptype":"Confidential","appid":"robot",
                "authmethod":"http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password","auth_time":"2026-01-01T00:00:00.000Z",
                "ver":"1.0","scp":"openid iot.connect","role":"operator","organization":"o-acme"
                """), Subject: "robot", IsOperator: true, HasScope: true),
            new("B6 a service of two organizations", Jwt, Adfs("""
                "aud":["api://other","api://gateway"],"iss":"http://adfs.example.com/adfs/services/trust","apptype":"Confidential","appid":"robot",
                "ver":"1.0","scp":"openid","role":["reader","operator"],"organization":["o-other","o-acme"]
                """), Subject: "robot", IsOperator: true),
            new("another issuer: that of the discovery document", Jwt, Adfs("""
                "aud":"api://gateway","iss":"https://adfs.example.com/adfs","appid":"robot","ver":"1.0","scp":"openid","organization":"o-acme"
                """), Failure: "no scheme is configured for its issuer"),
            new("B5 no application", Jwt, Adfs("""
                "aud":"api://gateway","iss":"http://adfs.example.com/adfs/services/trust","ver":"1.0","scp":"openid","organization":"o-acme"
                """), Failure: "the token has no claim appid (SubjectClaim)"),
        ]),
        ["Keycloak"] = new("https://id.example.com/realms/iot", [
            new("a user's access token", Jwt, Keycloak("iot", """
                "aud":["api://gateway","account"],"sub":"b4f9","typ":"Bearer","azp":"app","sid":"s","acr":"1","allowed-origins":["*"],
                "realm_access":{"roles":["offline_access","operator"]},"resource_access":{"account":{"roles":["view-profile"]}},
                "scope":"openid iot.connect profile","email_verified":true,"preferred_username":"alice","organization":["o-acme"]
                """), Subject: "b4f9", IsOperator: true, HasScope: true),
            new("no audience mapper", Jwt, Keycloak("iot", """
                "aud":"account","sub":"b4f9","typ":"Bearer","azp":"app","scope":"openid","organization":["o-acme"]
                """), Failure: "the audience is not one of api://gateway"),
            new("a refresh token", Jwt, Keycloak("iot", """
                "aud":"api://gateway","sub":"b4f9","typ":"Refresh","azp":"app","scope":"openid","organization":["o-acme"]
                """), Failure: "the token's typ is not that of an access token: Bearer or at+jwt or access"),
            new("organizations with their ids", Jwt, Keycloak("iot", """
                "aud":"api://gateway","sub":"b4f9","typ":"Bearer","azp":"app","scope":"openid","organization":{"o-acme":{"id":"1"}}
                """), Status: 403),
        ]),
        ["KeycloakServices"] = new("https://id.example.com/realms/services", [
            new("B5 a lightweight access token", Jwt, Keycloak("services", """
                "typ":"Bearer","azp":"my.client","scope":"iot.connect","organization":"o-acme",
                "resource_access":{"my":{"client":{"roles":["reader"]}},"my.client":{"roles":["operator"]}}
                """), Subject: "my.client", IsOperator: true, HasScope: true),
            new("a service account's access token, with client_id", Jwt, Keycloak("services", """
                "typ":"Bearer","azp":"my.client","client_id":"my.client","sub":"b4f9","aud":"account","organization":["o-other","o-acme"],
                "resource_access":{"other":{"roles":["operator"]}}
                """), Subject: "my.client"),
            new("B4 two clients in one token", Jwt, Keycloak("services", """
                "typ":"Bearer","azp":"my.client","client_id":"other","organization":"o-acme"
                """), Failure: "the token's client_id is not one of my.client (ClientIds)"),
            new("B4 no client", Jwt, Keycloak("services", """
                "typ":"Bearer","sub":"b4f9","organization":"o-acme"
                """), Failure: "the token has none of the claims client_id, azp, cid, appid (ClientIds)"),
        ]),
        ["Auth0"] = new("https://example.eu.auth0.com/", [
            new("a user's access token", Jwt, Auth0("""
                "sub":"auth0|1","aud":["https://api.example.com","https://example.eu.auth0.com/userinfo"],"azp":"app","scope":"openid profile iot.connect",
                "permissions":["read"],"https://example.com/roles":["operator"],"https://example.com/organizations":["o-acme"]
                """), Subject: "auth0|1", IsOperator: true, HasScope: true),
            new("a machine's access token", Jwt, Auth0("""
                "sub":"app@clients","aud":"https://api.example.com","azp":"app","gty":"client-credentials","https://example.com/organizations":["o-acme"]
                """), Subject: "app@clients"),
            new("an access token of RFC 9068", AccessToken, Auth0("""
                "sub":"auth0|1","aud":"https://api.example.com","client_id":"app","jti":"j","https://example.com/organizations":["o-acme"]
                """), Subject: "auth0|1"),
            new("an ID token", Jwt, Auth0("""
                "sub":"auth0|1","aud":"https://api.example.com","nickname":"alice","email":"alice@example.com","https://example.com/organizations":["o-acme"]
                """), Failure: "the token is an ID token (nickname), and AcceptIdTokens is not set"),
            new("an issuer without the slash", Jwt, """
                {"iss":"https://example.eu.auth0.com","sub":"auth0|1","aud":"https://api.example.com","azp":"app","scope":"openid","iat":IAT,"exp":EXP}
                """, Failure: "no scheme is configured for its issuer"),
        ]),
        ["Okta"] = new("https://example.okta.com/oauth2/default", [
            new("a user's access token", Untyped, Okta("""
                "aud":"api://gateway","cid":"0oa1example","uid":"00u1","scp":["openid","iot.connect"],"auth_time":IAT,"sub":"alice@example.com",
                "groups":["Everyone","operator"],"organizations":["o-acme"]
                """), Subject: "alice@example.com", IsOperator: true, HasScope: true),
            new("B6 a service's access token", Untyped, Okta("""
                "aud":"api://gateway","cid":"0oa2example","scp":["iot.connect"],"sub":"0oa2example","organizations":"o-acme"
                """), Subject: "0oa2example", HasScope: true),
            new("another audience of a listed application", Untyped, Okta("""
                "aud":"api://other","cid":"0oa1example","scp":["openid"],"sub":"alice@example.com","organizations":"o-acme"
                """), Failure: "the audience is not one of api://gateway"),
            new("an application that is not listed", Untyped, Okta("""
                "aud":"api://gateway","cid":"0oa3example","scp":["openid"],"sub":"alice@example.com","organizations":"o-acme"
                """), Failure: "the token's cid is not one of 0oa1example, 0oa2example (ClientIds)"),
        ]),
        ["Duende"] = new("https://identity.example.com", [
            new("B5 B6 client credentials", AccessToken, """
                {"iss":"https://identity.example.com","nbf":IAT,"iat":IAT,"exp":EXP,"aud":"api://gateway","scope":["iot.connect","other"],"client_id":"robot",
                "client_role":"operator","client_organization":"o-acme","jti":"9C4F"}
                """, Subject: "robot", IsOperator: true, HasScope: true),
            new("B6 client credentials for two organizations", AccessToken, """
                {"iss":"https://identity.example.com","nbf":IAT,"iat":IAT,"exp":EXP,"aud":["api://gateway"],"scope":["other"],"client_id":"robot",
                "client_role":["reader","operator"],"client_organization":["o-other","o-acme"],"jti":"9C4F"}
                """, Subject: "robot", IsOperator: true),
            new("no audience", AccessToken, """
                {"iss":"https://identity.example.com","nbf":IAT,"iat":IAT,"exp":EXP,"scope":["iot.connect"],"client_id":"robot","client_organization":"o-acme"}
                """, Failure: "the audience is not one of api://gateway"),
        ]),
        ["OpenIddict"] = new("https://login.example.com/", [
            new("B5 client credentials", AccessToken, """
                {"iss":"https://login.example.com/","exp":EXP,"iat":IAT,"aud":"api://gateway","scope":"iot.connect other","jti":"j","oi_prst":"robot",
                "client_id":"robot","oi_tkn_id":"t","organizations":"o-acme"}
                """, Subject: "robot", HasScope: true),
            new("a refresh token", """{"alg":"RS256","kid":"KID","typ":"oi_reft+jwt"}""", """
                {"iss":"https://login.example.com/","exp":EXP,"iat":IAT,"aud":"api://gateway","client_id":"robot","organizations":"o-acme"}
                """, Failure: "the token's typ is not that of an access token: at+jwt or JWT"),
        ]),
        ["Google"] = new("https://accounts.google.com", [
            new("B7 a service account's ID token", Jwt, Google("""
                "iss":"https://accounts.google.com","aud":"https://api.example.com","azp":"112233445566778899001","email":"r@p.iam.gserviceaccount.com",
                "email_verified":true,"sub":"112233445566778899001"
                """), Subject: "112233445566778899001"),
            new("B7 the same without an address", Jwt, Google("""
                "iss":"accounts.google.com","aud":"https://api.example.com","azp":"112233445566778899001","sub":"112233445566778899001"
                """), Subject: "112233445566778899001"),
            new("anyone with an account", Jwt, Google("""
                "iss":"https://accounts.google.com","aud":"https://api.example.com","azp":"99","email":"mallory@gmail.com","sub":"99"
                """), Failure: "the token's azp is not one of 112233445566778899001 (ClientIds)"),
        ]),
    };

    public static TheoryData<string, string> Documented => [.. DocumentationTests.ConfigurationExamples
        .Where(block => block.Data.Item1.StartsWith(DocumentationTests.IdentityProviders, StringComparison.Ordinal))
        .Select(block => (block.Data.Item1, block.Data.Item2))];

    [Fact]
    public void Every_provider_of_the_table_has_an_example() =>
        Assert.Equal(s_providers.Keys.Order(StringComparer.Ordinal), Documented.Select(block => NameOf(Parse(block.Data.Item2))).Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Documented))]
    public async Task An_example_takes_the_tokens_that_its_provider_documents(string place, string example)
    {
        var configuration = Parse(example);
        var provider = s_providers[NameOf(configuration)];
        var gateway = await providers.StartAsync(configuration, provider);
        var namesOrganizations = example.Contains("\"Organizations\"", StringComparison.Ordinal);

        var found = ConfigurationFolder.Load(["--config", gateway.Folder.Path], "Test", new Dictionary<string, string?>()).Findings;
        Assert.DoesNotContain(found, finding =>
            finding.Key.StartsWith("AzureAd", StringComparison.Ordinal) || finding.Key.StartsWith("Authentication", StringComparison.Ordinal));
        foreach (var token in provider.Tokens)
        {
            var sent = providers.Issue(token);
            var path = $"{(namesOrganizations ? "/organizations/o-acme" : "/plain")}/{Guid.NewGuid():N}";
            var answer = await gateway.SendAsync(path, sent);
            Assert.True(answer.Status == token.ExpectedStatus, $"{place}, {token.Name}: {answer.Status} {answer.Body}\n{gateway.Log.Text}");

            var verdict = await VerdictAsync(gateway, sent);
            Assert.Equal((token.Name, token.Failure), (token.Name, verdict.Failures.SingleOrDefault()));
            if (token.ExpectedStatus != 200) continue;
            var received = Assert.Single(providers.World.Downstream.Requests.Snapshot(), request => request.Target == path);
            Assert.Equal((token.Name, token.Subject), (token.Name, received.Headers["X-Gateway-Subject"][0]));
            Assert.Equal((token.Name, token.IsOperator ? 200 : 403), (token.Name, (await gateway.SendAsync("/operators/x", sent)).Status));
            Assert.Equal((token.Name, token.HasScope ? 200 : 403), (token.Name, (await gateway.SendAsync("/connected/x", sent)).Status));
        }
    }

    [Fact]
    public async Task An_encrypted_token_is_refused_and_explained()
    {
        var provider = s_providers["OpenIddict"];
        var gateway = await providers.StartAsync(
            Parse(Documented.Single(block => NameOf(Parse(block.Data.Item2)) == "OpenIddict").Data.Item2), provider);
        const string Encrypted = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZDQkMtSFM1MTIiLCJ0eXAiOiJhdCtqd3QifQ.AQID.AQID.AQID.AQID";

        ErrorResponseAssert.IsUnauthenticated(await gateway.SendAsync("/plain/x", Encrypted), tokenSent: true);
        Assert.Equal(["it is encrypted, so only its issuer can read it"], (await VerdictAsync(gateway, Encrypted)).Failures);
    }

    private static JsonObject Parse(string example) =>
        JsonNode.Parse(example, documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip })!.AsObject();

    private static string NameOf(JsonObject configuration) => configuration["AzureAd"] is not { } azure
        ? configuration["Authentication"]!["Schemes"]!.AsObject().Single().Key
        : azure["Instance"] is { } instance ? $"AzureAd, {instance}"
        : azure["Tenants"] is null ? "AzureAd" : "AzureAd, many";

    private static async Task<TokenVerdict> VerdictAsync(RunningGateway gateway, string token)
    {
        await using var scope = gateway.Services.CreateAsyncScope();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
        context.Request.Headers.Authorization = $"Bearer {token}";
        return await TokenVerdict.OfAsync(context);
    }

    private static string Cognito(string claims) =>
        $$"""{"iss":"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ExaMPle01","exp":EXP,"iat":IAT,"jti":"j",{{claims}}}""";

    private static string Adfs(string claims) => $$"""{"iat":IAT,"nbf":IAT,"exp":EXP,{{claims}}}""";

    private static string Keycloak(string realm, string claims) =>
        $$"""{"exp":EXP,"iat":IAT,"jti":"trrtcc:1","iss":"https://id.example.com/realms/{{realm}}",{{claims}}}""";

    private static string Auth0(string claims) => $$"""{"iss":"https://example.eu.auth0.com/","iat":IAT,"exp":EXP,{{claims}}}""";

    private static string Okta(string claims) =>
        $$"""{"ver":1,"jti":"AT.1","iss":"https://example.okta.com/oauth2/default","iat":IAT,"exp":EXP,{{claims}}}""";

    private static string Google(string claims) => $$"""{"iat":IAT,"exp":EXP,{{claims}}}""";

    // The claims of both versions, as in Microsoft's access token claims reference.
    private static Token[] Entra(string second, string first)
    {
        var tenant = new Uri(second).Segments[1].TrimEnd('/');
        return [
            new("a user's, version 2", Jwt, $$"""
                {"aud":"{{Application}}","iss":"{{second}}","iat":IAT,"nbf":IAT,"exp":EXP,"aio":"a","azp":"c","azpacr":"0","name":"Alice","oid":"o",
                "preferred_username":"alice@example.com","rh":"r","scp":"iot.connect other","sub":"s","tid":"{{tenant}}","uti":"u","ver":"2.0",
                "organizations":["o-acme"]}
                """, Subject: "s", HasScope: true),
            new("a user's, version 1", """{"typ":"JWT","alg":"RS256","x5t":"KID","kid":"KID"}""", $$"""
                {"aud":"api://{{Application}}","iss":"{{first}}","iat":IAT,"nbf":IAT,"exp":EXP,"acr":"1","aio":"a","amr":["pwd"],"appid":"c","appidacr":"0",
                "ipaddr":"192.0.2.7","name":"Alice","oid":"o","rh":"r","scp":"iot.connect","sub":"s","tid":"{{tenant}}","unique_name":"alice@example.com",
                "upn":"alice@example.com","uti":"u","ver":"1.0","organizations":"o-acme"}
                """, Subject: "s", HasScope: true),
            new("an application's, version 2", Jwt, $$"""
                {"aud":"{{Application}}","iss":"{{second}}","iat":IAT,"nbf":IAT,"exp":EXP,"aio":"a","azp":"c","azpacr":"1","oid":"o","rh":"r",
                "roles":["operator"],"sub":"o","tid":"{{tenant}}","uti":"u","ver":"2.0","organizations":"o-acme"}
                """, Subject: "o", IsOperator: true),
            new("an application's, version 1", Jwt, $$"""
                {"aud":"api://{{Application}}","iss":"{{first}}","iat":IAT,"nbf":IAT,"exp":EXP,"aio":"a","appid":"c","appidacr":"1","idp":"{{first}}",
                "idtyp":"app","oid":"o","rh":"r","roles":["operator"],"sub":"o","tid":"{{tenant}}","uti":"u","ver":"1.0","organizations":["o-acme"]}
                """, Subject: "o", IsOperator: true),
            new("another application's", Jwt, $$"""
                {"aud":"00000003-0000-0000-c000-000000000000","iss":"{{second}}","iat":IAT,"nbf":IAT,"exp":EXP,"azp":"c","scp":"User.Read","sub":"s",
                "tid":"{{tenant}}","ver":"2.0","organizations":["o-acme"]}
                """, Failure: $"the audience is not one of {Application}, api://{Application}"),
        ];
    }

    /// <summary>A token, as it is written but for <c>KID</c>, <c>IAT</c> and <c>EXP</c>.</summary>
    internal sealed record Token(
        string Name, string Header, string Payload, string? Subject = null, bool IsOperator = false, bool HasScope = false, string? Failure = null,
        int Status = 200)
    {
        public int ExpectedStatus => Failure is null ? Status : 401;
    }

    /// <param name="Address">The address that the discovery document is below.</param>
    /// <param name="Tokens">Tokens, good and bad.</param>
    /// <param name="DocumentedIssuer">The document's issuer, if it is not the address.</param>
    internal sealed record Provider(string Address, Token[] Tokens, string? DocumentedIssuer = null);

    public sealed class Providers : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public async ValueTask InitializeAsync() => World = await World.StartAsync();

        public ValueTask DisposeAsync() => World.DisposeAsync();

        internal string Issue(Token token)
        {
            var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
            return World.Issuer.Issue(new() { RawHeader = Filled(token.Header), RawPayload = Filled(token.Payload) });

            string Filled(string text) => text.Replace("KID", World.Issuer.CurrentKey.KeyId, StringComparison.Ordinal)
                .Replace("IAT", now.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
                .Replace("EXP", (now + 3600).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
        }

        internal async Task<RunningGateway> StartAsync(JsonObject configuration, Provider provider)
        {
            var gateway = await World.StartGatewayAsync(
                settings =>
                {
                    settings.WithoutRedis()
                        .Set("Edge:FailedAuthentications:PermitLimit", "100000")
                        .Set("Authorization:Policies:Operator", """{ "Roles": ["operator"] }""")
                        .Set("Authorization:Policies:Connected", """{ "Scopes": ["iot.connect"] }""")
                        .Route("plain", "/plain/{**rest}")
                        .Route("operators", "/operators/{**rest}", """{ "AuthorizationPolicy": "Operator" }""")
                        .Route("connected", "/connected/{**rest}", """{ "AuthorizationPolicy": "Connected" }""")
                        .Remove("Authentication");
                    foreach (var (section, value) in configuration) settings[section] = value!.DeepClone();
                },
                services => services.AddSingleton(new IssuerDocuments(TimeProvider.System, new Documents(provider, World.Issuer))));
            var scheme = gateway.KeysOf(configuration["AzureAd"] is null ? configuration["Authentication"]!["Schemes"]!.AsObject().Single().Key : "AzureAd");
            await scheme.FetchAsync();
            Assert.True(scheme.Outage is null, scheme.Outage?.ToString());
            return gateway;
        }
    }

    /// <summary>The provider's own documents, under its own addresses.</summary>
    private sealed class Documents(Provider provider, OpenIdProvider issuer) : HttpMessageHandler
    {
        private const string KeySet = "https://keys.example.com/keys";

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var asked = request.RequestUri!.AbsoluteUri;
            JsonObject? document =
                asked == provider.Address.TrimEnd('/') + "/.well-known/openid-configuration"
                    ? new() { ["issuer"] = provider.DocumentedIssuer ?? provider.Address, ["jwks_uri"] = KeySet }
                : asked == KeySet ? new() { ["keys"] = new JsonArray([.. issuer.PublishedKeys.Select(key => key.ToJsonWebKey())]) }
                : null;
            return Task.FromResult(document is null
                ? new HttpResponseMessage(HttpStatusCode.NotFound)
                : new HttpResponseMessage { Content = new StringContent(document.ToJsonString()) });
        }
    }
}
