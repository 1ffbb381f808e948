using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class RouteRuleTests : IDisposable
{
    private const string Routes = "ReverseProxy:Routes";
    private const string Route = Routes + ":organizations";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

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
        _configuration.Set($"{Routes}:other", $$"""{ "ClusterId": "organizations", "Match": { "Path": "{{path}}" } }""");
        Assert.Equal($"{Routes}:other:AuthorizationPolicy", _configuration.LoadBad().Key);

        _configuration.Set($"{Routes}:other:Metadata", """{ "AnyOrganization": "true" }""");
        _configuration.LoadGood();

        _configuration.Set($"{Routes}:other:Metadata", null).Set($"{Routes}:other:AuthorizationPolicy", "\"IotOperator\"");
        _configuration.LoadGood();
    }

    [Fact]
    public void Route_WithoutOrganization_MayBeAnyonesAndNeedsNoPolicy()
    {
        _configuration
            .Set($"{Routes}:closed", """{ "ClusterId": "organizations", "Match": { "Path": "/closed" } }""");
        _configuration.LoadGood();

        _configuration.Set($"{Routes}:open", """{ "ClusterId": "organizations", "AuthorizationPolicy": "Anonymous", "Match": { "Path": "/open" } }""");
        var listed = Assert.Single(_configuration.Load().Findings);
        Assert.Equal((Severity.Warning, $"{Routes}:open:AuthorizationPolicy"), (listed.Severity, listed.Key));
        _configuration.Set($"{Routes}:open", null);

        _configuration.Set($"{Routes}:closed:AuthorizationPolicy", "\"OrganizationMember\"");
        Assert.Contains("nobody would meet it", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""["a.example.com"]""", """["b.example.com", "A.example.com"]""", false)]
    [InlineData("""["a.example.com"]""", """["b.example.com"]""", true)]
    [InlineData("""["a.example.com"]""", null, true)]
    public void Routes_OfOnePathAndOneHost_AreAnError(string hosts, string? otherHosts, bool isGood)
    {
        foreach (var (name, its) in new[] { ("one", hosts), ("other", otherHosts) })
            _configuration.Set($"{Routes}:{name}", """{ "ClusterId": "organizations", "Match": { "Path": "/hosted" } }""")
                .Set($"{Routes}:{name}:Match:Hosts", its);

        if (isGood) _configuration.LoadGood();
        else Assert.Contains("same requests as the route \"one\"", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Routes_ThatTakeTheSameRequests_AreAnError()
    {
        _configuration.Set($"{Routes}:twin", """
            { "ClusterId": "organizations", "AuthorizationPolicy": "OrganizationMember",
              "Match": { "Path": "/Organizations/{organizationId}/{**other}" } }
            """);
        Assert.Contains("same requests as the route \"organizations\"", _configuration.LoadBad().Message, StringComparison.Ordinal);

        _configuration.Set($"{Routes}:twin:Match:Methods", "[\"GET\"]");
        _configuration.LoadGood();

        _configuration.Set($"{Route}:Match:Methods", "[\"GET\", \"POST\"]");
        Assert.Equal($"{Routes}:twin:Match", _configuration.LoadBad().Key);

        _configuration.Set($"{Routes}:twin:Order", "-5");
        _configuration.LoadGood();
    }

    [Fact]
    public void Route_ThatYarpWouldRefuse_IsAnError()
    {
        _configuration.Set($"{Routes}:odd", """{ "ClusterId": "organizations", "Match": { "Path": "/odd" }, "Transforms": [{ "NoSuchTransform": "x" }] }""");

        var finding = _configuration.LoadBad();

        Assert.Equal($"{Routes}:odd:Transforms:0:NoSuchTransform", finding.Key);

        _configuration.Set($"{Routes}:odd:Transforms", """[{ "PathSet": "/a", "PathPrefix": "/b" }]""");
        Assert.Equal($"{Routes}:odd:Transforms:0", _configuration.LoadBad().Key);
    }

    [Fact]
    public void Section_ThatYarpCannotRead_IsAnError()
    {
        _configuration.Set("ReverseProxy:Clusters:organizations:HttpClient", """{ "SslProtocols": ["Tls99"] }""");

        Assert.Equal("ReverseProxy:Clusters:organizations:HttpClient:SslProtocols:0", _configuration.LoadBad().Key);
    }

    [Theory]
    [InlineData("a method", "[\"GET\", \"DELETE\"]", "Methods", "Match:Methods:1", "Edge:Methods refuses")]
    [InlineData("a method in small letters", "[\"delete\"]", "Methods", "Match:Methods:0", "Edge:Methods refuses")]
    [InlineData("another host", "[\"api.example.com\", \"www.example.net\"]", "Hosts", "Match:Hosts:1", "AllowedHosts refuses")]
    [InlineData("a host with a port", "[\"www.example.net:8443\"]", "Hosts", "Match:Hosts:0", "AllowedHosts refuses")]
    [InlineData("the name above a wildcard's", "[\"example.org\"]", "Hosts", "Match:Hosts:0", "AllowedHosts refuses")]
    [InlineData("another wildcard", "[\"*.example.net\"]", "Hosts", "Match:Hosts:0", "AllowedHosts refuses")]
    [InlineData("a host in other letters", "[\"bücher.example.net\"]", "Hosts", "Match:Hosts:0", "AllowedHosts refuses")]
    [InlineData("a value with a blank before it", """[{ "Name": "X-A", "Values": ["1", " 2"] }]""", "Headers", "Match:Headers:0:Values:1", "blank at an end")]
    [InlineData("a value with a blank behind it", """[{ "Name": "X-A", "Values": ["1 "] }]""", "Headers", "Match:Headers:0:Values:0", "blank at an end")]
    [InlineData(
        "a prefix with a blank before it", """[{ "Name": "X-A", "Mode": "HeaderPrefix", "Values": [" 1"] }]""", "Headers",
        "Match:Headers:0:Values:0", "blank at an end")]
    public void Condition_ThatTheEdgeLetsNoRequestMeet_IsAWarning(string name, string json, string condition, string key, string message)
    {
        var finding = Conditioned(condition, json, name);

        Assert.Equal((Severity.Warning, $"{Routes}:conditioned:{key}"), (finding.Severity, finding.Key));
        Assert.Contains(message, finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a name with a blank", """[{ "Name": "X A", "Values": ["1"] }]""", "Headers", "Match:Headers:0:Name")]
    [InlineData(
        "a name with a blank behind it", """[{ "Name": "X-B", "Mode": "Exists" }, { "Name": "X-A ", "Mode": "Exists" }]""", "Headers", "Match:Headers:1:Name")]
    [InlineData("a name with a colon", """[{ "Name": "X-A:", "Values": ["1"] }]""", "Headers", "Match:Headers:0:Name")]
    [InlineData("an empty value", """[{ "Name": "X-A", "Values": ["1", ""] }]""", "Headers", "Match:Headers:0:Values:1")]
    [InlineData("a part that is empty", """[{ "Name": "X-A", "Mode": "Contains", "Values": [""] }]""", "Headers", "Match:Headers:0:Values:0")]
    [InlineData("an empty value of a parameter", """[{ "Name": "a", "Values": [""] }]""", "QueryParameters", "Match:QueryParameters:0:Values:0")]
    public void Condition_ThatHttpCannotSay_IsAnErrorAtItsKey(string name, string json, string condition, string key)
    {
        var finding = Conditioned(condition, json, name);

        Assert.Equal((Severity.Error, $"{Routes}:conditioned:{key}"), (finding.Severity, finding.Key));
    }

    [Theory]
    [InlineData("Methods", "[\"GET\", \"post\"]")]
    [InlineData(
        "Hosts",
        "[\"*\", \"api.example.com\", \"API.example.com:8443\", \"a.example.org\", \"*.example.org\", \"*.a.example.org\", \"*.org\", "
            + "\"*.example.com\", \"münchen.example.de\"]")]
    [InlineData(
        "Headers",
        """[{ "Name": "X-A", "Values": ["a b"] }, { "Name": "X-B", "Mode": "NotExists" }, { "Name": "X-C", "Mode": "Contains", "Values": [" b "] }]""")]
    public void Condition_ThatRequestsMeet_IsGood(string condition, string json)
    {
        Condition(condition, json);

        _configuration.LoadGood();
    }

    private Finding Conditioned(string condition, string json, string name)
    {
        Condition(condition, json);
        var findings = _configuration.Load().Findings;
        Assert.True(findings.Count == 1, $"{name}: {string.Join('\n', findings)}");
        return findings[0];
    }

    private void Condition(string condition, string json) => _configuration
        .Set("AllowedHosts", "\"api.example.com;*.example.org;xn--mnchen-3ya.example.de\"")
        .Set("Edge:Methods", """["GET", "HEAD", "POST", "OPTIONS"]""")
        .Set($"{Routes}:conditioned", $$"""{ "ClusterId": "organizations", "Match": { "Path": "/conditioned", "{{condition}}": {{json}} } }""");
}
