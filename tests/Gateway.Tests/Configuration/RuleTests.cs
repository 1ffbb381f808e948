using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class RuleTests : IDisposable
{
    private const string Routes = "ReverseProxy:Routes";
    private const string Route = Routes + ":organizations";
    private const string Module = Routes + ":iot-endpoint-and-credentials";
    private const string Scheme = "Authentication:Schemes:Platform";
    private const string Limit = "RateLimiting:Policies:PerOrganization";
    private readonly ConfigurationFixture configuration = new();

    public void Dispose() => configuration.Dispose();

    [Theory]
    // Names that routes and sections give
    [InlineData(Route + ":AuthorizationPolicy", "\"OrganisationMember\"", "Did you mean \"OrganizationMember\"?")]
    [InlineData(Route + ":AuthorizationPolicy", "\"organizationmember\"", "Did you mean \"OrganizationMember\"?")]
    [InlineData(Route + ":RateLimiterPolicy", "\"PerOrganisation\"", "Did you mean \"PerOrganization\"?")]
    [InlineData(Route + ":RateLimiterPolicy", "\"Default\"", "no such name")]
    [InlineData(Route + ":CorsPolicy", "\"Wbe\"", "Did you mean \"Web\"?")]
    [InlineData(Route + ":ClusterId", "\"organisations\"", "Did you mean \"organizations\"?")]
    [InlineData(Module + ":Metadata:Profile", "\"defautl\"", "Did you mean \"default\"?")]
    [InlineData("Management:AuthorizationPolicy", "\"Operators\"", "no such name")]
    [InlineData("Management:AuthorizationPolicy", "\"Anonymous\"", "anyone could act")]
    [InlineData(Route + ":TimeoutPolicy", "\"Slow\"", "route's own Timeout")]
    [InlineData(Route + ":OutputCachePolicy", "\"Cached\"", "Remove it")]
    // Targets
    [InlineData(Route + ":ClusterId", null, "leads nowhere")]
    [InlineData(Module + ":ClusterId", "\"organizations\"", "has no place")]
    [InlineData(Module + ":Metadata:Module", "\"IotCredential\"", "Did you mean \"IotCredentials\"?")]
    [InlineData(Module + ":Match:Methods", "[\"GET\"]", "405")]
    [InlineData(Module + ":Match:Path", "\"/credentials\"", "{organizationId}")]
    // Organizations
    [InlineData(Module + ":Metadata:AnyOrganization", "\"true\"", "members only")]
    [InlineData(Module + ":AuthorizationPolicy", "\"Anonymous\"", "Anonymous")]
    [InlineData(Module + ":AuthorizationPolicy", "\"Default\"", "RequireOrganization")]
    [InlineData(Module + ":AuthorizationPolicy", null, "RequireOrganization")]
    [InlineData(Route + ":AuthorizationPolicy", "\"Anonymous\"", "Anonymous")]
    [InlineData(Route + ":AuthorizationPolicy", "\"Default\"", "RequireOrganization")]
    [InlineData(Route + ":AuthorizationPolicy", null, "RequireOrganization")]
    // Matches
    [InlineData(Route + ":Match:Path", "\"/organizations/{organizationId\"", "no route pattern")]
    // Clusters
    [InlineData("ReverseProxy:Clusters:organizations:Destinations:a:Address", "\"localhost:5001\"", "absolute")]
    [InlineData("ReverseProxy:Clusters:organizations:Destinations:a:Address", "\"ftp://localhost/\"", "absolute")]
    [InlineData("ReverseProxy:Clusters:organizations:Destinations:a:Address", null, "absolute")]
    [InlineData("ReverseProxy:Clusters:organizations:Destinations", "{}", "nowhere to forward")]
    // Schemes
    [InlineData(Scheme + ":Authority", null, "is required")]
    [InlineData(Scheme + ":Authority", "\"id.example.com\"", "absolute")]
    [InlineData(Scheme + ":Authority", "\"http://id.example.com\"", "not https")]
    [InlineData(Scheme + ":ValidAudiences", "[]", "is required")]
    [InlineData(Scheme + ":Organizations:Claim", null, "is required")]
    [InlineData(Scheme + ":RoleClaim", "\"\"", "is empty")]
    // AzureAd
    [InlineData("AzureAd:TenantId", null, "is required")]
    [InlineData("AzureAd:ClientId", null, "is required")]
    [InlineData("AzureAd:Instance", "\"login\"", "absolute")]
    [InlineData("AzureAd:Organizations", "{}", "is required")]
    // Policies
    [InlineData("Authorization:Policies:Nothing", "{}", "asks for nothing")]
    [InlineData("Authorization:Policies:Anonymous", "{ \"Roles\": [\"a\"] }", "Choose another")]
    [InlineData(Limit + ":PermitLimit", "0", "1 or more")]
    [InlineData(Limit + ":PermitLimit", null, "1 or more")]
    [InlineData(Limit + ":Window", "\"00:00:00\"", "Write the time")]
    [InlineData("RateLimiting:Policies:disable", "{ \"PermitLimit\": 1, \"Window\": \"00:00:01\" }", "Choose another")]
    [InlineData("Cors:Policies:Web:Origins", "[]", "is required")]
    [InlineData("Cors:Policies:Default", "{ \"Origins\": [\"https://a.example\"] }", "Choose another")]
    // Edge and listeners
    [InlineData("Edge:Methods", "[]", "nothing is let in")]
    [InlineData("Edge:FailedAuthentications:Window", "\"-00:01:00\"", "Write the time")]
    [InlineData("Urls", "\"\"", "names no address")]
    [InlineData("Urls", "\"localhost:8080\"", "no address to listen on")]
    [InlineData("Urls", "\"http://localhost:8080/base\"", "no address to listen on")]
    [InlineData("Urls", "\"http://localhost:0\"", "127.0.0.1:0")]
    [InlineData("Management:Url", "\"http://127.0.0.1:8080\"", "public edge too")]
    [InlineData("Management:Url", "\"http://*:8080\"", "public edge too")]
    [InlineData("Management:Url", "\"https://localhost:9090\"", "is https")]
    [InlineData("Management:Url", "\"9090\"", "no address to listen on")]
    [InlineData("Management:Url", "\"http://localhost:0\"", "127.0.0.1:0")]
    // Sealing and shutdown
    [InlineData("Sealing:KeyPath", null, "is required with")]
    [InlineData("Sealing:KeyPath", "\"missing\"", "is not there")]
    [InlineData("ConnectionStrings:Redis", "\"\"", "no connection string")]
    [InlineData("Shutdown:Timeout", "\"-00:00:01\"", "less than nothing")]
    public void Rule_BrokenInOneKey_SaysSoThere(string key, string? json, string expected)
    {
        Assert.Empty(configuration.Load().Findings);

        configuration.Set(key, json);

        var finding = configuration.LoadBad();
        Assert.StartsWith(key, finding.Key, StringComparison.Ordinal);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.Equal("appsettings.json", finding.Source);
    }

    [Theory]
    [InlineData("Edge:Methods", "get")]
    [InlineData("Edge:Methods", "GET POST")]
    [InlineData("Edge:TrustedProxies", "10.1")]
    [InlineData("Edge:TrustedProxies", "proxy.example.com")]
    [InlineData("Cors:Policies:Web:Origins", "*")]
    [InlineData("Cors:Policies:Web:Origins", "https://*.example.com")]
    [InlineData("Cors:Policies:Web:Origins", "https://app.example.com/")]
    [InlineData("Cors:Policies:Web:Origins", "app.example.com")]
    [InlineData("Cors:Policies:Web:Methods", "*")]
    [InlineData("Cors:Policies:Web:Headers", "x y")]
    [InlineData(Scheme + ":ValidIssuers", "id")]
    [InlineData(Scheme + ":ValidIssuers", "http://id.example.com")]
    [InlineData(Scheme + ":ValidAudiences", " ")]
    [InlineData(Scheme + ":Organizations:Only", "o/1")]
    [InlineData("Authorization:Policies:IotOperator:Scopes", "")]
    public void Rule_BrokenInAListsItem_SaysSoThere(string key, string item)
    {
        configuration.Set(key, $"[\"{item}\"]");

        Assert.Equal(key + ":0", configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("Edge:TrustedProxies", """["10.0.0.1", "10.0.0.0/8", "fd00::/8", "::1"]""")]
    [InlineData("Edge:Methods", """["GET", "M-SEARCH"]""")]
    [InlineData("Cors:Policies:Web:Origins", """["https://app.example.com:8443", "http://localhost:3000"]""")]
    [InlineData("Urls", "\"http://*:8080;https://127.0.0.1:0\"")]
    [InlineData("Management:Url", "\"http://127.0.0.1:0\"")]
    [InlineData("Management:AuthorizationPolicy", "\"IotOperator\"")]
    [InlineData(Route + ":Timeout", "\"00:00:10\"")]
    [InlineData(Route + ":CorsPolicy", "\"Disable\"")]
    [InlineData(Route + ":RateLimiterPolicy", "\"Disable\"")]
    [InlineData(Route + ":ClusterId", "\"ORGANIZATIONS\"")]
    [InlineData(Route + ":Match:Methods", """["GET"]""")]
    [InlineData(Module + ":Metadata:Profile", null)]
    [InlineData(Scheme + ":Organizations", null)]
    [InlineData(Scheme + ":Organizations:Only", """["o-1"]""")]
    [InlineData(Limit, """{ "Algorithm": "Concurrency", "PermitLimit": 5, "Store": "Redis" }""")]
    [InlineData("AzureAd", null)]
    public void Rule_Kept_FindsNothing(string key, string? json)
    {
        configuration.Set(key, json);

        Assert.NotNull(configuration.LoadGood());
    }

    [Theory]
    [InlineData("/x/{organizationId}")]
    [InlineData("/x/{ORGANIZATIONID}")]
    [InlineData("/x/{organizationId?}")]
    [InlineData("/x/{organizationId=o-1}")]
    [InlineData("/x/{organizationId:regex(^o-)}")]
    [InlineData("/x/pre-{organizationId}-post")]
    [InlineData("/x/{*organizationId}")]
    [InlineData("/x/{**organizationId}")]
    public void Route_ThatBindsTheOrganization_NeedsAPolicyThatRequiresIt(string path)
    {
        configuration.Set($"{Routes}:other", $$"""{ "ClusterId": "organizations", "Match": { "Path": "{{path}}" } }""");
        Assert.Equal($"{Routes}:other:AuthorizationPolicy", configuration.LoadBad().Key);

        configuration.Set($"{Routes}:other:Metadata", """{ "AnyOrganization": "true" }""");
        configuration.LoadGood();

        configuration.Set($"{Routes}:other:Metadata", null).Set($"{Routes}:other:AuthorizationPolicy", "\"IotOperator\"");
        configuration.LoadGood();
    }

    [Fact]
    public void Route_WithoutOrganization_MayBeAnyonesAndNeedsNoPolicy()
    {
        configuration
            .Set($"{Routes}:open", """{ "ClusterId": "organizations", "AuthorizationPolicy": "Anonymous", "Match": { "Path": "/open" } }""")
            .Set($"{Routes}:closed", """{ "ClusterId": "organizations", "Match": { "Path": "/closed" } }""");
        configuration.LoadGood();

        configuration.Set($"{Routes}:closed:AuthorizationPolicy", "\"OrganizationMember\"");
        Assert.Contains("nobody would meet it", configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Routes_ThatTakeTheSameRequests_AreAnError()
    {
        configuration.Set($"{Routes}:twin", """
            { "ClusterId": "organizations", "AuthorizationPolicy": "OrganizationMember",
              "Match": { "Path": "/Organizations/{organizationId}/{**other}" } }
            """);
        Assert.Contains("same requests as the route \"organizations\"", configuration.LoadBad().Message, StringComparison.Ordinal);

        configuration.Set($"{Routes}:twin:Match:Methods", "[\"GET\"]");
        configuration.LoadGood();

        configuration.Set($"{Route}:Match:Methods", "[\"GET\", \"POST\"]");
        Assert.Equal($"{Routes}:twin:Match", configuration.LoadBad().Key);

        configuration.Set($"{Routes}:twin:Order", "5");
        configuration.LoadGood();
    }

    [Fact]
    public void Route_ThatYarpWouldRefuse_IsAnError()
    {
        configuration.Set($"{Routes}:odd", """{ "ClusterId": "organizations", "Match": { "Path": "/odd" }, "Transforms": [{ "NoSuchTransform": "x" }] }""");

        var finding = configuration.LoadBad();

        Assert.Equal($"{Routes}:odd", finding.Key);
        Assert.Contains("NoSuchTransform", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Section_ThatYarpCannotRead_IsAnError()
    {
        configuration.Set("ReverseProxy:Clusters:organizations:HttpClient", """{ "SslProtocols": ["Tls99"] }""");

        Assert.Contains(configuration.Load().Findings, finding => finding.Key == "ReverseProxy");
    }

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
    [InlineData("", "a-c-", "a-c", true)]
    public void Only_HoldsOrganizationIds(string prefix, string characters, string id, bool good)
    {
        configuration
            .Set("IotCredentials:OrganizationId", $$"""{ "Prefix": "{{prefix}}", "Characters": "{{characters}}" }""")
            .Set($"{Scheme}:Organizations:Only", $"[\"{id}\"]");

        Assert.Equal(good, configuration.Load().Snapshot is not null);
    }

    [Fact]
    public void Urls_TogetherWithKestrelEndpoints_AreAnError()
    {
        configuration.Set("Kestrel:Endpoints:Http:Url", "\"http://localhost:8081\"");
        Assert.Equal("Urls", configuration.LoadBad().Key);

        configuration.Set("Urls", null);
        configuration.LoadGood();

        configuration.Set("Kestrel:Endpoints:Http:Url", "\"http://[::]:9090\"");
        Assert.Equal("Management:Url", configuration.LoadBad().Key);
    }

    [Fact]
    public void RateLimitInRedis_WithoutRedis_IsAnError()
    {
        configuration.Set($"{Limit}:Store", "\"Redis\"").Set("ConnectionStrings", null);

        Assert.Equal($"{Limit}:Store", configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("c2VjcmV0LXNlY3JldA==\n", "line 1 ")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nsecret!\n", "line 3 ")]
    [InlineData("\n", "without a key")]
    public void SealingKeys_OfTheWrongForm_AreAnErrorThatDoesNotShowThem(string content, string expected)
    {
        configuration.Write("sealing-keys", content);

        var finding = configuration.LoadBad();

        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", finding.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", finding.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ConnectionString_ThatIsNone_IsNotShown()
    {
        configuration.Set("ConnectionStrings:Redis", "\"localhost,nonsense=secret\"");

        Assert.DoesNotContain("secret", configuration.LoadBad().ToString(), StringComparison.Ordinal);
    }
}
