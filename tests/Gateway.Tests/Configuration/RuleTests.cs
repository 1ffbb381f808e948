using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class RuleTests : IDisposable
{
    private const string Routes = "ReverseProxy:Routes";
    private const string Route = Routes + ":organizations";
    private const string Module = Routes + ":iot-endpoint-and-credentials";
    private const string Scheme = "Authentication:Schemes:Platform";
    private const string Limit = "RateLimiting:Policies:PerOrganization";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    // Names that routes and sections give
    [InlineData(Route + ":AuthorizationPolicy", "\"OrganisationMember\"", "Did you mean \"OrganizationMember\"?")]
    [InlineData(Route + ":AuthorizationPolicy", "\"organizationmember\"", "Did you mean \"OrganizationMember\"?")]
    [InlineData(Route + ":RateLimiterPolicy", "\"PerOrganisation\"", "Did you mean \"PerOrganization\"?")]
    [InlineData(Route + ":RateLimiterPolicy", "\"Default\"", "no such name")]
    [InlineData(Route + ":AuthorizationPolicy", "\"\"", "or leave the key out")]
    [InlineData(Route + ":RateLimiterPolicy", "\"\"", "or leave the key out")]
    [InlineData(Route + ":CorsPolicy", "\"\"", "or leave the key out")]
    [InlineData(Route + ":CorsPolicy", "\"Wbe\"", "Did you mean \"Web\"?")]
    [InlineData(Route + ":ClusterId", "\"organisations\"", "Did you mean \"organizations\"?")]
    [InlineData(Module + ":Metadata:Profile", "\"defautl\"", "Did you mean \"default\"?")]
    [InlineData("Management:AuthorizationPolicy", "\"Operators\"", "no such name")]
    [InlineData("Management:AuthorizationPolicy", "\"Anonymous\"", "any caller could act")]
    [InlineData(Route + ":TimeoutPolicy", "\"Slow\"", "route's own Timeout")]
    [InlineData(Route + ":OutputCachePolicy", "\"Cached\"", "Remove it")]
    // Targets
    [InlineData(Route + ":ClusterId", null, "leads nowhere")]
    [InlineData(Module + ":ClusterId", "\"organizations\"", "has no place")]
    [InlineData(Module + ":Metadata:Module", "\"IotCredential\"", "Did you mean \"IotCredentials\"?")]
    [InlineData(Module + ":Match:Methods", "[\"GET\"]", "405")]
    [InlineData(Module + ":Match:Path", "\"/credentials\"", "{organizationId}")]
    [InlineData(Route + ":Metadata:Retries", "3", "Write 0 to 2")]
    [InlineData(Route + ":Metadata:Retries", "-1", "Write 0 to 2")]
    [InlineData(Module + ":Metadata:Retries", "1", "nothing is sent")]
    // Organizations
    [InlineData(Module + ":Metadata:AnyOrganization", "\"true\"", "members only")]
    [InlineData(Module + ":AuthorizationPolicy", "\"Anonymous\"", "Anonymous")]
    [InlineData(Module + ":AuthorizationPolicy", "\"Default\"", "RequireOrganization")]
    [InlineData(Module + ":AuthorizationPolicy", null, "RequireOrganization")]
    [InlineData(Route + ":AuthorizationPolicy", "\"Anonymous\"", "Anonymous")]
    [InlineData(Route + ":AuthorizationPolicy", "\"Default\"", "RequireOrganization")]
    [InlineData(Route + ":AuthorizationPolicy", null, "RequireOrganization")]
    // Matches
    [InlineData(Route + ":Match:Path", "\"/organizations/{organizationId\"", "not a route pattern")]
    // Clusters
    [InlineData("ReverseProxy:Clusters:organizations:Destinations:a:Address", "\"localhost:5001\"", "absolute")]
    [InlineData("ReverseProxy:Clusters:organizations:Destinations:a:Address", "\"ftp://localhost/\"", "absolute")]
    [InlineData("ReverseProxy:Clusters:organizations:Destinations:a:Address", null, "absolute")]
    [InlineData("ReverseProxy:Clusters:organizations:Destinations", "{}", "nowhere to forward")]
    [InlineData("Services:devices:Http", "[\"10.0.0.1\"]", "not a host and port")]
    [InlineData("Services:devices:Https", "[\"https://devices:443\"]", "not a host and port")]
    [InlineData("Services:devices:Http", "[\"devices:80/path\"]", "not a host and port")]
    // Hosts
    [InlineData("AllowedHosts", "\"api.example.com:443\"", "not a host")]
    [InlineData("AllowedHosts", "\"api.example.com;0.0.0.0\"", "any host")]
    [InlineData("AllowedHosts", "\"[::]\"", "any host")]
    // Schemes
    [InlineData(Scheme + ":Authority", null, "is required")]
    [InlineData(Scheme + ":Authority", "\"id.example.com\"", "absolute")]
    [InlineData(Scheme + ":Authority", "\"http://id.example.com\"", "not https")]
    [InlineData(Scheme + ":ValidAudiences", null, "is required")]
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
    [InlineData("Cors:Policies:Web:Origins", null, "is required")]
    [InlineData("Cors:Policies:Default", "{ \"Origins\": [\"https://a.example\"] }", "Choose another")]
    [InlineData("Cors:Policies:Web:MaxAge", "\"-00:00:01\"", "Write how long")]
    // Edge and listeners
    [InlineData("Edge:ConnectionsPerAddress", "0", "1 or more")]
    [InlineData("Edge:UpgradesPerCaller", "0", "1 or more")]
    [InlineData("Kestrel:EndpointDefaults:Protocols", "\"Http1AndHttp2AndHttp3\"", "is \"Http1AndHttp2AndHttp3\", and")]
    [InlineData("Kestrel:EndpointDefaults:Protocols", "\"http3\"", "Http1AndHttp2")]
    [InlineData("Kestrel:EndpointDefaults:Protocols", "\"Http1, Http3\"", "Http1AndHttp2")]
    [InlineData("Kestrel:EndpointDefaults:Protocols", "\"7\"", "Http1AndHttp2")]
    [InlineData("Edge:FailedAuthentications:Window", "\"-00:01:00\"", "Write the time")]
    [InlineData("Urls", "\"\"", "names no address")]
    [InlineData("Urls", "\"localhost:8080\"", "not an address to listen on")]
    [InlineData("Urls", "\"http://localhost:8080/base\"", "not an address to listen on")]
    [InlineData("Urls", "\"http://localhost:0\"", "127.0.0.1:0")]
    [InlineData("Management:Url", "\"http://127.0.0.1:8080\"", "public edge too")]
    [InlineData("Management:Url", "\"http://*:8080\"", "public edge too")]
    [InlineData("Management:Url", "\"https://localhost:9090\"", "is https")]
    [InlineData("Management:Url", "\"9090\"", "not an address to listen on")]
    [InlineData("Management:Url", "\"http://localhost:0\"", "127.0.0.1:0")]
    // Sealing and shutdown
    [InlineData("Sealing:KeyPath", null, "is required with")]
    [InlineData("Sealing:KeyPath", "\"missing\"", "is not there")]
    [InlineData("Sealing:KeyPath", "\"bm90IGEgc2VjcmV0LCBidXQgMzIgYnl0ZXMgbG9uZyE=\"", "is a key itself")]
    [InlineData("ConnectionStrings:Redis", "\"\"", "is not a connection string")]
    [InlineData("ConnectionStrings:Redis", "\"redis://user:hunter2@host:6379\"", "is not a connection string")]
    [InlineData("ConnectionStrings:Redis", "\"rediss://u:hunter2@h:6379/0\"", "is not a connection string")]
    [InlineData("ConnectionStrings:Redis", "\"tcp://:hunter2@h:6379\"", "is not a connection string")]
    [InlineData("ConnectionStrings:Redis", "\"hunter2@h:6379\"", "is not a connection string")]
    [InlineData("ConnectionStrings:Redis", "\"h:6379,hunter2\"", "is not a connection string")]
    [InlineData("ConnectionStrings:Redis", "\"h:6379;password=hunter2\"", "is not a connection string")]
    [InlineData("Kestrel:EndpointDefaults:Protocols", "\"HTTP/2\"", "Kestrel does not know")]
    [InlineData("Kestrel:EndpointDefaults:ClientCertificateMode", "\"Requird\"", "Kestrel does not know")]
    [InlineData("Kestrel:EndpointDefaults:SslProtocols", "[\"Tls1.3\"]", "Kestrel does not know")]
    [InlineData("Kestrel:EndpointDefaults:SslProtocols", "[\"12288\"]", "Kestrel does not know")]
    [InlineData("Kestrel:EndpointDefaults:Protocols", "\"99\"", "Kestrel does not know")]
    [InlineData("Kestrel:EndpointDefaults:Protocols", "\"1, 2\"", "Kestrel does not know")]
    [InlineData("Kestrel:EndpointDefaults:ClientCertificateMode", "\"2\"", "Kestrel does not know")]
    [InlineData("Shutdown:Timeout", "\"-00:00:01\"", "less than nothing")]
    public void Rule_BrokenInOneKey_SaysSoThere(string key, string? json, string expected)
    {
        Assert.Empty(_configuration.Load().Findings);

        _configuration.Set(key, json);

        var finding = _configuration.LoadBad();
        Assert.StartsWith(key, finding.Key, StringComparison.Ordinal);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.Equal("appsettings.json:1", finding.Source);
    }

    [Theory]
    [InlineData("Authority", null, "is required")]
    [InlineData("Authority", "\"id.example.com\"", "absolute")]
    [InlineData("Authority", "\"http://id.example.com\"", "another machine")]
    [InlineData("ClientId", null, "is required")]
    [InlineData("ClientId", "\" \"", "is required")]
    [InlineData("Scope", null, "is required")]
    public void The_consoles_sign_in_needs_an_authority_a_client_and_a_scope(string key, string? json, string expected)
    {
        _configuration.Set("Management:Console", """{ "Authority": "https://id.example.com", "ClientId": "gateway-console", "Scope": "openid" }""");
        Assert.Contains("none may see anything", Assert.Single(_configuration.Load().Findings).Message, StringComparison.Ordinal);
        _configuration.Set("Authorization:Policies:Operators", """{ "Roles": ["operator"] }""").Set("Management:AuthorizationPolicy", "\"Operators\"");
        Assert.Empty(_configuration.Load().Findings);

        _configuration.Set($"Management:Console:{key}", json);

        var finding = _configuration.LoadBad();
        Assert.Equal($"Management:Console:{key}", finding.Key);
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ConnectionStrings:Redis", "\"localhost:6379\"")]
    [InlineData("ConnectionStrings:RedisPath", "\"redis\"")]
    public void A_sealing_key_is_required_by_the_file_that_names_Redis(string key, string json)
    {
        _configuration.Set("ConnectionStrings", null).Set("Sealing", null);
        _configuration.Write("redis", "localhost:6379");
        _configuration.Write(
            "appsettings.Production.json", $$"""
            {
              "ConnectionStrings": { "{{key.Split(':')[1]}}": {{json}} }
            }
            """);

        var finding = _configuration.LoadBad();

        Assert.Equal(("Sealing:KeyPath", "appsettings.Production.json:2"), (finding.Key, finding.Source));
    }

    [Theory]
    [InlineData("Http1AndHttp2AndHttp3", false)]
    [InlineData("Http3", false)]
    [InlineData("Http1AndHttp2", true)]
    [InlineData("Http2", true)]
    public void S16_an_endpoint_takes_no_protocol_that_the_bounds_do_not_see(string protocols, bool isGood)
    {
        _configuration.Set("Urls", null).Set("Kestrel:Endpoints:One", $$"""{ "Url": "http://localhost:8080", "Protocols": "{{protocols}}" }""");

        if (isGood) _configuration.LoadGood();
        else Assert.Equal("Kestrel:Endpoints:One:Protocols", _configuration.LoadBad().Key);
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
    [InlineData("Cors:Policies:Web:ExposedHeaders", "*")]
    [InlineData(Scheme + ":ValidIssuers", "")]
    [InlineData(Scheme + ":ValidIssuers", "an issuer\\tand more")]
    [InlineData(Scheme + ":ValidAudiences", " ")]
    [InlineData(Scheme + ":Organizations:Only", "o/1")]
    [InlineData("Authorization:Policies:IotOperator:Scopes", "")]
    public void Rule_BrokenInAListsItem_SaysSoThere(string key, string item)
    {
        _configuration.Set(key, $"[\"{item}\"]");

        Assert.Equal(key + ":0", _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("Edge:TrustedProxies", """["10.0.0.1", "10.0.0.0/8", "fd00::/8", "::1"]""")]
    [InlineData("Edge:Methods", """["GET", "M-SEARCH"]""")]
    [InlineData("Cors:Policies:Web:Origins", """["https://app.example.com:8443", "http://localhost:3000"]""")]
    [InlineData("Urls", "\"http://*:8080;http://127.0.0.1:0\"")]
    [InlineData("Management:Url", "\"http://127.0.0.1:0\"")]
    [InlineData("Management:AuthorizationPolicy", "\"IotOperator\"")]
    [InlineData(Route + ":Timeout", "\"00:00:10\"")]
    [InlineData(Route + ":CorsPolicy", "\"Disable\"")]
    [InlineData(Route + ":RateLimiterPolicy", "\"Disable\"")]
    [InlineData(Route + ":ClusterId", "\"ORGANIZATIONS\"")]
    [InlineData(Route + ":Match:Methods", """["GET"]""")]
    [InlineData(Route + ":Metadata:Retries", "2")]
    [InlineData(Module + ":Metadata:Retries", "0")]
    [InlineData(Module + ":Metadata:Profile", null)]
    [InlineData(Scheme + ":Organizations", null)]
    [InlineData(Scheme + ":Organizations:Only", """["o-1"]""")]
    [InlineData(Limit, """{ "Algorithm": "Concurrency", "PermitLimit": 5, "Store": "Local" }""")]
    [InlineData("Services:devices", """{ "Http": ["10.0.0.1:8080", "[::1]:80", "Devices.internal:80"], "Https": [] }""")]
    [InlineData("AzureAd", null)]
    public void Rule_Kept_FindsNothing(string key, string? json)
    {
        _configuration.Set(key, json);

        Assert.NotNull(_configuration.LoadGood());
    }

    [Theory]
    [InlineData("GET", "POST", true)]
    [InlineData("put", "patch", true)]
    [InlineData("GET", "HEAD", false)]
    [InlineData("PATCH", "POST", false)]
    [InlineData("POST", "PUT", false)]
    public void C5_retries_of_a_route_that_sends_another_method_are_an_error_if_that_may_not_be_sent_twice(string from, string to, bool isError)
    {
        _configuration
            .Set(Route + ":Metadata:Retries", "\"1\"")
            .Set(Route + ":Transforms", $$"""[{ "HttpMethodChange": "{{from}}", "Set": "{{to}}" }]""");

        var findings = _configuration.Load().Findings.Where(static finding => finding.Key == Route + ":Metadata:Retries");

        Assert.Equal(isError, findings.Any(static finding => finding.Severity == Severity.Error));
    }

    [Fact]
    public void Urls_TogetherWithKestrelEndpoints_AreAnError()
    {
        _configuration.Set("Kestrel:Endpoints:Http:Url", "\"http://localhost:8081\"");
        Assert.Equal("Urls", _configuration.LoadBad().Key);

        _configuration.Set("Urls", null);
        _configuration.LoadGood();

        _configuration.Set("Kestrel:Endpoints:Http:Url", "\"http://[::]:9090\"");
        Assert.Equal("Management:Url", _configuration.LoadBad().Key);
    }

    [Fact]
    public void RateLimitInRedis_WithoutRedis_IsAnError()
    {
        _configuration.Set($"{Limit}:Store", "\"Redis\"").Set("ConnectionStrings", null);

        Assert.All(_configuration.Load().Findings, finding => Assert.Equal($"{Limit}:Store", finding.Key));
    }

    [Theory]
    [InlineData("c2VjcmV0LXNlY3JldA==\n", "line 1 ")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nsecret!\n", "line 3 ")]
    [InlineData("\n", "without a key")]
    public void SealingKeys_OfTheWrongForm_AreAnErrorThatDoesNotShowThem(string content, string expected)
    {
        _configuration.Write("sealing-keys", content);

        var finding = _configuration.LoadBad();

        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", finding.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", finding.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void ConnectionString_ThatIsNone_IsNotShown()
    {
        _configuration.Set("ConnectionStrings:Redis", "\"localhost,nonsense=secret\"");

        Assert.DoesNotContain("secret", _configuration.LoadBad().ToString(), StringComparison.Ordinal);
    }
}
