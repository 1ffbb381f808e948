using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class SchemeRuleTests : IDisposable
{
    private const string Scheme = "Authentication:Schemes:Platform";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("\"ValidIssuers\": [\"https://id.example.com/\"]", ":ValidIssuers:0")]
    [InlineData("\"ValidIssuers\": [\"https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0\"]", ":ValidIssuers:0")]
    [InlineData("\"ValidIssuers\": [\"https://sts.windows.net/11111111-1111-1111-1111-111111111111/\"]", ":ValidIssuers:0")]
    [InlineData("\"RoleClaim\": \"r\"", ":Authority")]
    public void Issuer_OfTwoSchemes_IsAnError(string json, string expected)
    {
        _configuration.Set("Authentication:Schemes:Second", $$"""{ "Authority": "https://id.example.com", "ValidAudiences": ["a"], {{json}} }""");

        Assert.Equal("Authentication:Schemes:Second" + expected, _configuration.LoadBad().Key);
    }

    [Fact]
    public void Issuer_OverHttp_IsAllowedWhenSaidSo()
    {
        _configuration.Set($"{Scheme}:Authority", "\"http://localhost:5000\"").Set($"{Scheme}:RequireHttpsMetadata", "false");

        _configuration.LoadGood();
    }

    [Fact]
    public void Scheme_WithTheNameOfAzureAd_IsAnError()
    {
        _configuration.Set("Authentication:Schemes:azuread", """{ "Authority": "https://other.example.com", "ValidAudiences": ["a"] }""");

        Assert.Equal("Authentication:Schemes:azuread", _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("common")]
    [InlineData("Organizations")]
    [InlineData("consumers")]
    public void AzureAd_ForManyTenants_NeedsThemListed(string tenant)
    {
        _configuration.Set("AzureAd:TenantId", $"\"{tenant}\"");
        Assert.Equal("AzureAd:Tenants", _configuration.LoadBad().Key);

        _configuration.Set("AzureAd:Tenants", """{ "33333333-3333-3333-3333-333333333333": { "Only": ["o-1"] } }""");
        Assert.Equal(2, _configuration.LoadGood().Options.AzureAd!.Issuers.Count());

        _configuration.Set("AzureAd:Tenants:33333333-3333-3333-3333-333333333333:Only", "[\"o#1\"]");
        Assert.Equal("AzureAd:Tenants:33333333-3333-3333-3333-333333333333:Only:0", _configuration.LoadBad().Key);
    }

    [Fact]
    public void AzureAd_ForOneTenant_ListsNone()
    {
        _configuration.Set("AzureAd:Tenants", """{ "33333333-3333-3333-3333-333333333333": {} }""");

        Assert.Equal("AzureAd:Tenants", _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("o-", "A-Za-z0-9", "o-a1", true)]
    [InlineData("o-", "A-Za-z0-9", "o-a-1", false)]
    [InlineData("o-", "A-Za-z0-9", "o-", false)]
    [InlineData("o-", "A-Za-z0-9", "a", false)]
    [InlineData("", "a-z-", "a-c", true)]
    public void Only_HoldsOrganizationIds(string prefix, string characters, string id, bool good)
    {
        _configuration
            .Set("IotCredentials:OrganizationId", $$"""{ "Prefix": "{{prefix}}", "Characters": "{{characters}}" }""")
            .Set($"{Scheme}:Organizations:Only", $"[\"{id}\"]");

        Assert.Equal(good, _configuration.Load().Snapshot is not null);
    }

    [Theory]
    [InlineData(
        "B8 a discovery document", "https://id.example.com/realms/a/.well-known/openid-configuration", ":Authority", "\"https://id.example.com/realms/a\"")]
    [InlineData("B8 the same in other letters", "https://id.example.com/.Well-Known/OpenID-Configuration/", ":Authority", "\"https://id.example.com\"")]
    [InlineData("B8 a server's metadata", "https://id.example.com/.well-known/oauth-authorization-server/a", ":Authority", "\"https://id.example.com\"")]
    [InlineData(
        "B8 Entra's document",
        "https://login.microsoftonline.com/33333333-3333-3333-3333-333333333333/v2.0/.well-known/openid-configuration", ":Authority", "/v2.0\"")]
    [InlineData("B8 every tenant", "https://login.microsoftonline.com/common/v2.0", ":Authority", "ValidIssuers")]
    [InlineData("B8 every organization", "https://login.microsoftonline.us/organizations/v2.0", ":Authority", "ValidIssuers")]
    [InlineData("B8 every person", "https://login.microsoftonline.com/consumers/v2.0/", ":Authority", "ValidIssuers")]
    [InlineData("B8 a tenant's domain", "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0", ":Authority", "ValidIssuers")]
    [InlineData("B8 no tenant", "https://login.microsoftonline.com/", ":Authority", "ValidIssuers")]
    [InlineData(
        "B8 the address without its version",
        "https://login.microsoftonline.com/33333333-3333-3333-3333-333333333333",
        ":Authority",
        "\"https://sts.windows.net/33333333-3333-3333-3333-333333333333/\"")]
    [InlineData(
        "B8 an older name of the cloud", "https://login.windows.net/33333333-3333-3333-3333-333333333333/v2.0", ":Authority", "login.microsoftonline.com/3")]
    [InlineData("B8 a closed cloud", "https://login.microsoftonline.de/33333333-3333-3333-3333-333333333333/v2.0", ":Authority", "closed in 2021")]
    public void B8_An_authority_of_which_no_token_is_accepted_is_an_error(string name, string authority, string key, string message)
    {
        _configuration.Set($"{Scheme}:Authority", $"\"{authority}\"");

        var finding = _configuration.LoadBad();
        Assert.Equal((name, Scheme + key), (name, finding.Key));
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://login.microsoftonline.com/33333333-3333-3333-3333-333333333333/v2.0", "[]")]
    [InlineData("https://sts.windows.net/33333333-3333-3333-3333-333333333333/", "[]")]
    [InlineData("https://login.microsoftonline.com/common/v2.0", """["https://login.microsoftonline.com/33333333-3333-3333-3333-333333333333/v2.0"]""")]
    [InlineData(
        "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0",
        """["https://login.microsoftonline.com/33333333-3333-3333-3333-333333333333/v2.0"]""")]
    [InlineData("https://id.example.com/common/v2.0", "[]")]
    public void B8_An_authority_whose_issuers_are_known_is_good(string authority, string issuers)
    {
        _configuration.Set($"{Scheme}:Authority", $"\"{authority}\"").Set($"{Scheme}:ValidIssuers", issuers);

        _configuration.LoadGood();
    }

    [Theory]
    [InlineData("B8 a closed cloud", "AzureAd:Instance", "\"https://login.microsoftonline.de/\"", "closed in 2021", "AzureAd:Instance")]
    [InlineData(
        "B8 a tenant in the address", "AzureAd:Instance", "\"https://login.microsoftonline.com/33333333-3333-3333-3333-333333333333\"",
        "\"https://login.microsoftonline.com/\"", "AzureAd:Instance")]
    [InlineData("B8 every tenant in the address", "AzureAd:Instance", "\"https://login.microsoftonline.us/common/v2.0\"", "TenantId", "AzureAd:Instance")]
    [InlineData(
        "B8 customers' tenant in the address", "AzureAd:Instance", "\"https://contoso.ciamlogin.com/contoso.onmicrosoft.com\"", "TenantId", "AzureAd:Instance")]
    [InlineData(
        "B8 a blank before an issuer", Scheme + ":ValidIssuers", """["https://id.example.com", " https://b.example.com"]""",
        "Remove the blank", Scheme + ":ValidIssuers:1")]
    [InlineData("B8 a blank behind an issuer", Scheme + ":ValidIssuers", """["https://id.example.com "]""", "Remove the blank", Scheme + ":ValidIssuers:0")]
    [InlineData("B8 a blank before an audience", Scheme + ":ValidAudiences", """[" api://gateway"]""", "Remove the blank", Scheme + ":ValidAudiences:0")]
    [InlineData("B8 a blank behind an audience", Scheme + ":ValidAudiences", """["a", "api://gateway "]""", "Remove the blank", Scheme + ":ValidAudiences:1")]
    [InlineData("B8 a blank behind Entra's audience", "AzureAd:Audience", "\"api://gateway \"", "Remove it", "AzureAd:Audience")]
    [InlineData("B8 a blank before Entra's application", "AzureAd:ClientId", "\" 22222222-2222-2222-2222-222222222222\"", "Remove it", "AzureAd:ClientId")]
    public void B8_A_value_that_no_token_has_is_an_error(string name, string key, string json, string message, string expected)
    {
        _configuration.Set(key, json);

        var finding = _configuration.LoadBad();
        Assert.Equal((name, expected), (name, finding.Key));
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
    }
}
