using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Settings that are valid and careless, wildcards of other products, and browsers and retries that never get through.</summary>
public sealed class ExposureRuleTests : IDisposable
{
    private const string Cluster = "ReverseProxy:Clusters:organizations";
    private const string Route = "ReverseProxy:Routes:organizations";
    private const string Scheme = "Authentication:Schemes:Platform";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("S22", "Edge:TrustedProxies", """["0.0.0.0/0"]""", "error", "Edge:TrustedProxies:0")]
    [InlineData("S22", "Edge:TrustedProxies", """["10.0.0.0/8", "::/0"]""", "error", "Edge:TrustedProxies:1")]
    [InlineData("S22", "Edge:TrustedProxies", """["0.0.0.0/1"]""", "error", "Edge:TrustedProxies:0")]
    [InlineData("S22", "Edge:TrustedProxies", """["2000::/3"]""", "error", "Edge:TrustedProxies:0")]
    [InlineData("S22", "Edge:TrustedProxies", """["::ffff:0.0.0.0/96"]""", "error", "Edge:TrustedProxies:0")]
    [InlineData("S22", "Edge:TrustedProxies", """["52.0.0.0/8"]""", "warning", "Edge:TrustedProxies:0")]
    [InlineData("S22", "Edge:TrustedProxies", """["2600::/20"]""", "warning", "Edge:TrustedProxies:0")]
    [InlineData(
        "S22", Scheme, """{ "Authority": "http://id.example.com", "RequireHttpsMetadata": false, "ValidAudiences": ["a"] }""",
        "warning", Scheme + ":RequireHttpsMetadata")]
    [InlineData(
        "S22", Scheme, """{ "Authority": "http://10.0.0.5:8080/realms/iot", "RequireHttpsMetadata": false, "ValidAudiences": ["a"] }""",
        "warning", Scheme + ":RequireHttpsMetadata")]
    [InlineData(
        "S22", Scheme, """{ "Authority": "https://id.example.com", "RequireHttpsMetadata": false, "ValidAudiences": ["a"] }""",
        "warning", Scheme + ":RequireHttpsMetadata")]
    [InlineData(
        "S22", Scheme,
        """
        {
          "Authority": "http://localhost:5000", "MetadataAddress": "http://id.example.com/metadata", "RequireHttpsMetadata": false, "ValidAudiences": ["a"]
        }
        """,
        "warning", Scheme + ":RequireHttpsMetadata")]
    [InlineData("S22", "AzureAd:RequireHttpsMetadata", "false", "warning", "AzureAd:RequireHttpsMetadata")]
    [InlineData(
        "S22", Cluster + ":HttpClient", """{ "DangerousAcceptAnyServerCertificate": true }""", "warning",
        Cluster + ":HttpClient:DangerousAcceptAnyServerCertificate")]
    [InlineData("S22", "Edge:Methods", """["GET", "TRACE"]""", "warning", "Edge:Methods:1")]
    [InlineData("S22", "Edge:Methods", """["GET", "TRACK"]""", "warning", "Edge:Methods:1")]
    [InlineData("S22", "Edge:Methods", """["CONNECT", "GET"]""", "warning", "Edge:Methods:0")]
    [InlineData("S22", "Management:Url", "\"http://0.0.0.0:9090\"", "warning", "Management:Url")]
    [InlineData("S22", "Management:Url", "\"http://[::]:9090\"", "warning", "Management:Url")]
    [InlineData("S22", "Management:Url", "\"http://*:9090\"", "warning", "Management:Url")]
    [InlineData("S22", "Management:Url", "\"http://+:9090\"", "warning", "Management:Url")]
    [InlineData("S22", "Management:AuthorizationPolicy", "\"OrganizationMember\"", "warning", "Management:AuthorizationPolicy")]
    [InlineData("S22", "Management:AuthorizationPolicy", "\"Callers\"", "warning", "Management:AuthorizationPolicy")]
    [InlineData("S22", Route + ":MaxRequestBodySize", "-1", "warning", Route + ":MaxRequestBodySize")]
    [InlineData("S22", "Kestrel:Limits:MaxRequestBodySize", "null", "warning", "Kestrel:Limits:MaxRequestBodySize")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/*\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/**\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices*\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/*/{id}\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/:id\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/<id>\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/(a|b)\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/[0-9]+\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"^/devices/.+$\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/\\\\d\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/c/[^/]+\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/c/$1\"", "warning", "ReverseProxy:Routes:x:Match:Path")]
    [InlineData(
        "F13", "ReverseProxy:Routes:x:Transforms", """[{ "PathRemovePrefix": "/c/[^/]+" }]""", "warning",
        "ReverseProxy:Routes:x:Transforms:0:PathRemovePrefix")]
    [InlineData(
        "F13", "ReverseProxy:Routes:x:Transforms", """[{ "PathPrefix": "/a" }, { "PathSet": "/c/$1" }]""", "warning",
        "ReverseProxy:Routes:x:Transforms:1:PathSet")]
    [InlineData("F13", "ReverseProxy:Routes:x:Transforms", """[{ "PathPattern": "/c/$1" }]""", "warning", "ReverseProxy:Routes:x:Transforms:0:PathPattern")]
    [InlineData("F13", "ReverseProxy:Routes:x:Transforms", """[{ "PathPattern": "/c/:id" }]""", "warning", "ReverseProxy:Routes:x:Transforms:0:PathPattern")]
    [InlineData(
        "F13", "ReverseProxy:Routes:x:Transforms", """[{ "PathRemovePrefix": "^/api" }]""", "warning", "ReverseProxy:Routes:x:Transforms:0:PathRemovePrefix")]
    [InlineData("F13", "ReverseProxy:Routes:x:Transforms", """[{ "PathPrefix": "/api/*" }]""", "warning", "ReverseProxy:Routes:x:Transforms:0:PathPrefix")]
    [InlineData("F13", "ReverseProxy:Routes:x:Transforms", """[{ "PathSet": "/(a|b)/.+" }]""", "warning", "ReverseProxy:Routes:x:Transforms:0:PathSet")]
    [InlineData("F14", Route, """{ "Timeout": "00:00:30", "Metadata": { "Retries": "1" } }""", "warning", Route + ":Timeout")]
    [InlineData("A14", "Edge:Methods", """["GET", "POST"]""", "warning", "Edge:Methods")]
    [InlineData("A14", "Cors:Policies:Web:Headers", "[]", "warning", "Cors:Policies:Web:Headers")]
    [InlineData("A14", "Cors:Policies:Web:Headers", """["content-type"]""", "warning", "Cors:Policies:Web:Headers")]
    [InlineData("A14", Route + ":Match:Methods", """["DELETE"]""", "warning", "Cors:Policies:Web:Methods")]
    public void A_careless_setting_is_found_at_its_key(string kind, string key, string json, string severity, string expected)
    {
        Prepare(kind);
        Merge(key, json);

        var finding = Assert.Single(_configuration.Load().Findings);
        Assert.Equal((expected, severity), (finding.Key, finding.Severity.ToString().ToLowerInvariant()));
    }

    [Theory]
    [InlineData(
        "S22", "Edge:TrustedProxies",
        """["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "100.64.0.0/10", "104.16.0.0/13", "130.211.0.0/22", "2600:9000::/28"]""")]
    [InlineData("S22", Scheme, """{ "Authority": "http://127.0.0.1:5000", "RequireHttpsMetadata": false, "ValidAudiences": ["a"] }""")]
    [InlineData("S22", Scheme, """{ "Authority": "http://localhost:5000", "RequireHttpsMetadata": false, "ValidAudiences": ["a"] }""")]
    [InlineData("S22", "Management:Url", "\"http://10.0.0.5:9090\"")]
    [InlineData("S22", "Management:Url", "\"http://[::1]:9090\"")]
    [InlineData("S22", "Management:AuthorizationPolicy", "\"IotOperator\"")]
    [InlineData("S22", Route + ":MaxRequestBodySize", "1000")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/odata/$metadata\"")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/items(7)/files:copy\"")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/devices/{id:regex(^[[a-z]]+$)}/{**rest}\"")]
    [InlineData("F13", "ReverseProxy:Routes:x:Match:Path", "\"/~me/v1.0/a+b\"")]
    [InlineData(
        "F13", "ReverseProxy:Routes:x:Transforms",
        """[{ "PathPrefix": "/odata/$metadata" }, { "PathPattern": "/items(7)/files:copy" }, { "PathRemovePrefix": "/~me/v1.0/a+b" }]""")]
    [InlineData("F14", Route, """{ "Timeout": "00:02:00", "Metadata": { "Retries": "1" } }""")]
    [InlineData("F14", Route, """{ "Timeout": "00:00:30" }""")]
    [InlineData("F14", Route, """{ "Metadata": { "Retries": "1" } }""")]
    [InlineData("A14", "Cors:Policies:Web:Headers", """["Authorization"]""")]
    [InlineData("A14", Route + ":Match:Methods", """["GET"]""")]
    public void A_setting_with_a_reason_is_clean(string kind, string key, string json)
    {
        Prepare(kind);
        Merge(key, json);

        Assert.Empty(_configuration.Load().Findings);
    }

    [Fact]
    public void F14_a_shorter_activity_timeout_leaves_time()
    {
        Prepare("F14");
        Merge(Route, """{ "Timeout": "00:00:30", "Metadata": { "Retries": "1" } }""");
        _configuration.Set(Cluster + ":HttpRequest:ActivityTimeout", "\"00:00:10\"");

        Assert.Empty(_configuration.Load().Findings);
    }

    private void Prepare(string kind)
    {
        _configuration.Set("Shutdown:Timeout", "\"00:03:00\"").Set("Authorization:Policies:Callers", """{ "Schemes": ["Platform"] }""");
        if (kind == "F13") _configuration.Set("ReverseProxy:Routes:x", """{ "ClusterId": "organizations", "Match": { "Path": "/x" } }""");
        if (kind == "A14") _configuration.Set($"{Route}:CorsPolicy", "\"Web\"");
    }

    private void Merge(string key, string json)
    {
        if (key == Route) _configuration.Write("appsettings.Production.json", $$"""{ "ReverseProxy": { "Routes": { "organizations": {{json}} } } }""");
        else _configuration.Set(key, json);
    }
}
