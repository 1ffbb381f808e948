using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class SchemeRuleTests : IDisposable
{
    private const string Scheme = "Authentication:Schemes:Platform";
    private readonly ConfigurationFixture configuration = new();

    public void Dispose() => configuration.Dispose();

    [Theory]
    [InlineData("\"ValidIssuers\": [\"https://id.example.com/\"]", ":ValidIssuers:0")]
    [InlineData("\"ValidIssuers\": [\"https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111/v2.0\"]", ":ValidIssuers:0")]
    [InlineData("\"ValidIssuers\": [\"https://sts.windows.net/11111111-1111-1111-1111-111111111111/\"]", ":ValidIssuers:0")]
    [InlineData("\"RoleClaim\": \"r\"", ":Authority")]
    public void Issuer_OfTwoSchemes_IsAnError(string json, string expected)
    {
        configuration.Set("Authentication:Schemes:Second", $$"""{ "Authority": "https://id.example.com", "ValidAudiences": ["a"], {{json}} }""");

        Assert.Equal("Authentication:Schemes:Second" + expected, configuration.LoadBad().Key);
    }

    [Fact]
    public void Issuer_OverHttp_IsAllowedWhenSaidSo()
    {
        configuration.Set($"{Scheme}:Authority", "\"http://localhost:5000\"").Set($"{Scheme}:RequireHttpsMetadata", "false");

        configuration.LoadGood();
    }

    [Fact]
    public void Scheme_WithTheNameOfAzureAd_IsAnError()
    {
        configuration.Set("Authentication:Schemes:azuread", """{ "Authority": "https://other.example.com", "ValidAudiences": ["a"] }""");

        Assert.Equal("Authentication:Schemes:azuread", configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("common")]
    [InlineData("Organizations")]
    [InlineData("consumers")]
    public void AzureAd_ForManyTenants_NeedsThemListed(string tenant)
    {
        configuration.Set("AzureAd:TenantId", $"\"{tenant}\"");
        Assert.Equal("AzureAd:Tenants", configuration.LoadBad().Key);

        configuration.Set("AzureAd:Tenants", """{ "33333333-3333-3333-3333-333333333333": { "Only": ["o-1"] } }""");
        Assert.Equal(2, configuration.LoadGood().Options.AzureAd!.Issuers.Count());

        configuration.Set("AzureAd:Tenants:33333333-3333-3333-3333-333333333333:Only", "[\"o#1\"]");
        Assert.Equal("AzureAd:Tenants:33333333-3333-3333-3333-333333333333:Only:0", configuration.LoadBad().Key);
    }

    [Fact]
    public void AzureAd_ForOneTenant_ListsNone()
    {
        configuration.Set("AzureAd:Tenants", """{ "33333333-3333-3333-3333-333333333333": {} }""");

        Assert.Equal("AzureAd:Tenants", configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("o-", "A-Za-z0-9", "o-a1", true)]
    [InlineData("o-", "A-Za-z0-9", "o-a-1", false)]
    [InlineData("o-", "A-Za-z0-9", "o-", false)]
    [InlineData("o-", "A-Za-z0-9", "a", false)]
    [InlineData("", "a-z-", "a-c", true)]
    public void Only_HoldsOrganizationIds(string prefix, string characters, string id, bool good)
    {
        configuration
            .Set("IotCredentials:OrganizationId", $$"""{ "Prefix": "{{prefix}}", "Characters": "{{characters}}" }""")
            .Set($"{Scheme}:Organizations:Only", $"[\"{id}\"]");

        Assert.Equal(good, configuration.Load().Snapshot is not null);
    }
}
