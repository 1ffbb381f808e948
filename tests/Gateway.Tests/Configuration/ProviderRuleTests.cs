using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>The slips that are made with the identity providers of docs/identity-providers.md.</summary>
public sealed class ProviderRuleTests : IDisposable
{
    private const string Scheme = "Authentication:Schemes:Platform";
    private const string Tenant = "33333333-3333-3333-3333-333333333333";
    private const string Pool = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ExaMPle01";
    private const string AdfsIssuers = """, "ValidIssuers": ["http://login.example.com/adfs/services/trust"]""";
    private const string AnyGoogle =
        """, "AcceptIdTokens": true, "ValidAudiences": ["a"], "ValidIssuers": ["accounts.google.com", "https://accounts.google.com"]""";

    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("B8 Auth0 without its slash", "https://example.eu.auth0.com", "", "Authority", "\"https://example.eu.auth0.com/\"")]
    [InlineData(
        "B8 the same as an issuer", "https://example.eu.auth0.com/", """, "ValidIssuers": ["https://example.eu.auth0.com"]""",
        "ValidIssuers:0", "\"https://example.eu.auth0.com/\"")]
    [InlineData("B8 Okta with a slash", "https://example.okta.com/oauth2/default/", "", "Authority", "\"https://example.okta.com/oauth2/default\"")]
    [InlineData("B8 Okta's preview with a slash", "https://example.oktapreview.com/", "", "Authority", "\"https://example.oktapreview.com\"")]
    [InlineData("B8 Cognito with a slash", Pool + "/", "", "Authority", "\"" + Pool + "\"")]
    [InlineData("B8 Keycloak with a slash", "https://id.example.com/realms/iot/", "", "Authority", "\"https://id.example.com/realms/iot\"")]
    [InlineData("B8 Google with a slash", "https://accounts.google.com/", """, "AcceptIdTokens": true""", "Authority", "\"https://accounts.google.com\"")]
    [InlineData(
        "B8 Entra with a slash", $"https://login.microsoftonline.com/{Tenant}/v2.0/", "", "Authority",
        $"\"https://login.microsoftonline.com/{Tenant}/v2.0\"")]
    [InlineData("B8 Entra's version 1 without its slash", $"https://sts.windows.net/{Tenant}", "", "Authority", $"\"https://sts.windows.net/{Tenant}/\"")]
    [InlineData(
        "B8 a tenant in capitals", "https://login.microsoftonline.com/AABBCCDD-1111-4111-8111-AABBCCDDEEFF/v2.0", "", "Authority",
        "\"https://login.microsoftonline.com/aabbccdd-1111-4111-8111-aabbccddeeff/v2.0\"")]
    [InlineData(
        "B8 an issuer in capitals", $"https://login.microsoftonline.com/{Tenant}/v2.0",
        """, "ValidIssuers": ["https://login.microsoftonline.com/AABBCCDD-1111-4111-8111-AABBCCDDEEFF/v2.0"]""", "ValidIssuers:0",
        "\"https://login.microsoftonline.com/aabbccdd-1111-4111-8111-aabbccddeeff/v2.0\"")]
    [InlineData(
        "B8 an issuer with a domain", $"https://login.microsoftonline.com/{Tenant}/v2.0",
        """, "ValidIssuers": ["https://login.microsoftonline.com/contoso.com/v2.0"]""", "ValidIssuers:0", "tenant's id")]
    [InlineData(
        "B8 customers' tenant by its name", $"https://contoso.ciamlogin.com/{Tenant}/v2.0", "", "Authority",
        $"\"https://{Tenant}.ciamlogin.com/{Tenant}/v2.0\"")]
    [InlineData("B8 customers' tenant by its domain", "https://contoso.ciamlogin.com/contoso.onmicrosoft.com/v2.0", "", "Authority", "tenant's id")]
    [InlineData(
        "B8 China without its token service", $"https://login.partner.microsoftonline.cn/{Tenant}", "", "Authority",
        $"\"https://sts.chinacloudapi.cn/{Tenant}/\"")]
    [InlineData("B8 a discovery document", Pool + "/.well-known/openid-configuration", "", "Authority", "\"" + Pool + "\"")]
    [InlineData("B4 Cognito without a pool", "https://cognito-idp.eu-central-1.amazonaws.com", "", "Authority", "USER_POOL_ID")]
    [InlineData("B4 Cognito in China without a pool", "https://cognito-idp.cn-north-1.amazonaws.com.cn/", "", "Authority", "USER_POOL_ID")]
    [InlineData(
        "B4 Cognito in the European Sovereign Cloud without a pool", "https://cognito-idp.eusc-de-east-1.amazonaws.eu", "", "Authority", "USER_POOL_ID")]
    [InlineData("B4 Cognito's key set", Pool + "/jwks", "", "Authority", "USER_POOL_ID")]
    [InlineData("B4 Cognito's sign-in pages", "https://example.auth.eu-central-1.amazoncognito.com", "", "Authority", "cognito-idp.REGION")]
    public void B8_No_token_would_be_accepted_and_the_error_says_what_to_write(string name, string authority, string more, string key, string advice)
    {
        Write(authority, more);

        var finding = _configuration.LoadBad();
        Assert.Equal((name, $"{Scheme}:{key}"), (name, finding.Key));
        Assert.Contains(advice, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("B8 a slash that may be right", "https://id.example.com/", "", "Authority", "with the slash at the end")]
    [InlineData("Keycloak without a realm", "https://keycloak.example.com", "", "Authority", "/realms/REALM")]
    [InlineData("an older Keycloak without a realm", "https://id.example.com/auth", "", "Authority", "/realms/REALM")]
    [InlineData("Keycloak's realms", "https://id.example.com/realms", "", "Authority", "/realms/REALM")]
    [InlineData("an address of Keycloak's realm", "https://id.example.com/realms/iot/protocol/openid-connect", "", "Authority", "/realms/REALM")]
    [InlineData("B7 AD FS without its path", "https://login.example.com", AdfsIssuers, "Authority", "\"https://login.example.com/adfs\"")]
    [InlineData(
        "B7 AD FS's issuer as the authority", "https://login.example.com/adfs/services/trust", AdfsIssuers, "Authority",
        "\"https://login.example.com/adfs\"")]
    [InlineData("B7 AD FS without its issuer", "https://login.example.com/adfs", "", "Authority", "\"http://login.example.com/adfs/services/trust\"")]
    [InlineData("B7 Google with one form of two", "https://accounts.google.com", """, "AcceptIdTokens": true""", "Authority", "\"accounts.google.com\"")]
    [InlineData(
        "B7 Google with the other form alone", "https://accounts.google.com", """, "AcceptIdTokens": true, "ValidIssuers": ["accounts.google.com"]""",
        "ValidIssuers", "\"https://accounts.google.com\"")]
    [InlineData(
        "Google's access tokens", "https://accounts.google.com", """, "ValidIssuers": ["accounts.google.com", "https://accounts.google.com"]""",
        "AcceptIdTokens", "\"AcceptIdTokens\": true")]
    [InlineData("Okta's own authorization server", "https://example.okta.com", "", "Authority", "\"https://example.okta.com/oauth2/default\"")]
    [InlineData("the same of a preview", "https://example.oktapreview.com", "", "Authority", "\"https://example.oktapreview.com/oauth2/default\"")]
    [InlineData("B4 Cognito with an audience", Pool, """, "ValidAudiences": ["app"]""", "ValidAudiences", "ClientIds")]
    [InlineData("B4 Cognito's ID tokens by their client", Pool, """, "AcceptIdTokens": true""", "AcceptIdTokens", "ValidAudiences")]
    public void It_can_work_and_the_warning_says_what_is_usual(string name, string authority, string more, string key, string advice)
    {
        Write(authority, more);

        var result = _configuration.Load();
        Assert.NotNull(result.Snapshot);
        var finding = Assert.Single(result.Findings);
        Assert.Equal((name, $"{Scheme}:{key}"), (name, finding.Key));
        Assert.Contains(advice, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://gitlab.com", "")]
    [InlineData("https://token.actions.githubusercontent.com", "")]
    [InlineData("https://example.okta.com/oauth2/default", "")]
    [InlineData("https://example.eu.auth0.com/", "")]
    [InlineData("https://id.example.com/realms/iot", "")]
    [InlineData("https://id.example.com/auth/realms/iot", "")]
    [InlineData("https://keycloak.example.com/realms/iot", "")]
    [InlineData("https://id.example.com/", """, "ValidIssuers": ["https://id.example.com/"]""")]
    [InlineData("https://login.example.com/adfs", AdfsIssuers)]
    [InlineData("https://login.example.com", AdfsIssuers + """, "MetadataAddress": "https://login.example.com/adfs/.well-known/openid-configuration" """)]
    [InlineData("https://keycloak.example.com", """, "MetadataAddress": "https://keycloak.example.com/realms/iot/.well-known/openid-configuration" """)]
    [InlineData("https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_ExaMPle01", "")]
    [InlineData(Pool, """, "AcceptIdTokens": true, "ValidAudiences": ["app"]""")]
    [InlineData(
        "https://cognito-idp.eu-central-1.amazonaws.com",
        $$""", "ValidIssuers": ["{{Pool}}"], "MetadataAddress": "{{Pool}}/.well-known/openid-configuration" """)]
    [InlineData(Pool, """, "SubjectClaim": "client_id", "ClockSkew": "00:00:00", "RoleClaim": "cognito:groups" """)]
    public void Nothing_is_said_of_what_is_right(string authority, string more)
    {
        Write(authority, more);

        _configuration.LoadGood();
    }

    [Theory]
    [InlineData("https://token.actions.githubusercontent.com", "", null, true)]
    [InlineData("https://gitlab.com/", """, "ValidIssuers": ["https://gitlab.com"]""", "Default", true)]
    [InlineData("https://gitlab.com", "", """{ "Schemes": ["Platform"] }""", true)]
    [InlineData("https://gitlab.com", "", """{ "Schemes": ["Platform"], "Roles": ["deployer"] }""", false)]
    [InlineData("https://gitlab.com", "", """{ "Scopes": ["deploy"] }""", false)]
    [InlineData("https://gitlab.com", "", """{ "Schemes": ["AzureAd"] }""", false)]
    [InlineData("https://gitlab.com", "", "Anonymous", false)]
    [InlineData("https://gitlab.example.com", "", null, false)]
    [InlineData("https://accounts.google.com", AnyGoogle, null, true)]
    [InlineData("https://accounts.google.com", AnyGoogle + """, "ClientIds": ["1"]""", null, false)]
    public void Everyone_with_an_account_is_a_caller(string authority, string more, string? policy, bool isWarned)
    {
        Write(authority, more);
        _configuration.Set("AzureAd", $$"""{ "TenantId": "{{Tenant}}", "ClientId": "c" }""");
        var isNamed = policy?.StartsWith('{') == false;
        if (policy is not null && !isNamed) _configuration.Set("Authorization:Policies:Asked", policy);
        var access = policy is null ? "" : $$""", "AuthorizationPolicy": "{{(isNamed ? policy : "Asked")}}" """;
        _configuration.Set("ReverseProxy:Routes:catalog", $$"""{ "Match": { "Path": "/catalog" }, "ClusterId": "organizations"{{access}} }""");

        var findings = _configuration.Load().Findings.Where(finding => finding.Key == $"{Scheme}:Authority").ToList();

        Assert.Equal(isWarned, findings.Count == 1);
        if (isWarned) Assert.Contains("may use routes such as \"catalog\"", findings[0].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("B4 neither audience nor client", "https://id.example.com", "{}", "ValidAudiences", "or ClientIds")]
    [InlineData("B4 neither, at Cognito", Pool, "{}", "ValidAudiences", "write the ids of the app clients as ClientIds")]
    [InlineData("B4 an empty client", "https://id.example.com", """{ "ClientIds": ["app", ""] }""", "ClientIds:1", "is empty")]
    [InlineData("B4 a client with a blank", "https://id.example.com", """{ "ClientIds": ["app "] }""", "ClientIds:0", "Remove the blank")]
    [InlineData(
        "B5 an empty subject claim", "https://id.example.com", """{ "ClientIds": ["app"], "SubjectClaim": " " }""", "SubjectClaim",
        "Write a claim's name")]
    [InlineData("a clock skew of hours", "https://id.example.com", """{ "ClientIds": ["app"], "ClockSkew": "01:00:00" }""", "ClockSkew", "00:05:00 at most")]
    [InlineData(
        "a clock skew just over", "https://id.example.com", """{ "ClientIds": ["app"], "ClockSkew": "00:05:00.001" }""", "ClockSkew",
        "00:05:00 at most")]
    [InlineData("a negative clock skew", "https://id.example.com", """{ "ClientIds": ["app"], "ClockSkew": "-00:00:01" }""", "ClockSkew", "00:05:00 at most")]
    [InlineData(
        "a metadata address that is none", "https://id.example.com", """{ "ClientIds": ["app"], "MetadataAddress": "/keys" }""", "MetadataAddress",
        "Write")]
    [InlineData("no metadata address", "https://id.example.com", """{ "ClientIds": ["app"], "MetadataAddress": "" }""", "MetadataAddress", "Write")]
    [InlineData(
        "metadata over http", "https://id.example.com", """{ "ClientIds": ["app"], "MetadataAddress": "http://id.example.com/m" }""",
        "MetadataAddress", "https address")]
    [InlineData("a misspelt key", "https://id.example.com", """{ "ClientIds": ["app"], "ClientId": "app" }""", "ClientId", "ClientIds")]
    [InlineData(
        "a misspelt format", "https://id.example.com", """{ "ClientIds": ["app"], "Organizations": { "Claim": "o", "Format": "SingleOrArray" } }""",
        "Organizations:Format", "ArrayOrSingle")]
    public void A_setting_that_cannot_be_meant_is_an_error(string name, string authority, string json, string key, string advice)
    {
        _configuration.Set(Scheme, json).Set($"{Scheme}:Authority", $"\"{authority}\"");

        var finding = _configuration.LoadBad();
        Assert.Equal((name, $"{Scheme}:{key}"), (name, finding.Key));
        Assert.Contains(advice, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("RoleClaim")]
    [InlineData("ScopeClaim")]
    [InlineData("SubjectClaim")]
    [InlineData("Organizations:Claim")]
    public void A_path_of_claims_is_bounded(string key)
    {
        var longest = string.Join('.', Enumerable.Repeat("abc", 64));
        _configuration.Set($"{Scheme}:{key}", $"\"{longest}a\"");
        _configuration.LoadGood();

        _configuration.Set($"{Scheme}:{key}", $"\"{longest}ab\"");
        Assert.Equal($"{Scheme}:{key}", _configuration.LoadBad().Key);
    }

    private void Write(string authority, string more)
    {
        var clients = more.Contains("ValidAudiences", StringComparison.Ordinal) ? "" : """, "ClientIds": ["app"]""";
        _configuration.Set(Scheme, $$"""{ "Authority": "{{authority}}"{{clients}}{{more}} }""");
    }
}
