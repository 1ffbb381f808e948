using Gateway.Configuration;
using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class RouteRuleTests : IDisposable
{
    private const string Routes = "ReverseProxy:Routes";
    private const string Route = Routes + ":organizations";
    private readonly ConfigurationFixture configuration = new();

    public void Dispose() => configuration.Dispose();

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
            .Set($"{Routes}:closed", """{ "ClusterId": "organizations", "Match": { "Path": "/closed" } }""");
        configuration.LoadGood();

        configuration.Set($"{Routes}:open", """{ "ClusterId": "organizations", "AuthorizationPolicy": "Anonymous", "Match": { "Path": "/open" } }""");
        var listed = Assert.Single(configuration.Load().Findings);
        Assert.Equal((Severity.Warning, $"{Routes}:open:AuthorizationPolicy"), (listed.Severity, listed.Key));
        configuration.Set($"{Routes}:open", null);

        configuration.Set($"{Routes}:closed:AuthorizationPolicy", "\"OrganizationMember\"");
        Assert.Contains("nobody would meet it", configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""["a.example.com"]""", """["b.example.com", "A.example.com"]""", false)]
    [InlineData("""["a.example.com"]""", """["b.example.com"]""", true)]
    [InlineData("""["a.example.com"]""", "[]", true)]
    public void Routes_OfOnePathAndOneHost_AreAnError(string hosts, string otherHosts, bool isGood)
    {
        foreach (var (name, its) in new[] { ("one", hosts), ("other", otherHosts) })
            configuration.Set($"{Routes}:{name}", $$"""{ "ClusterId": "organizations", "Match": { "Path": "/hosted", "Hosts": {{its}} } }""");

        if (isGood) configuration.LoadGood();
        else Assert.Contains("same requests as the route \"one\"", configuration.LoadBad().Message, StringComparison.Ordinal);
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

        configuration.Set($"{Routes}:twin:Order", "-5");
        configuration.LoadGood();
    }

    [Fact]
    public void Route_ThatYarpWouldRefuse_IsAnError()
    {
        configuration.Set($"{Routes}:odd", """{ "ClusterId": "organizations", "Match": { "Path": "/odd" }, "Transforms": [{ "NoSuchTransform": "x" }] }""");

        var finding = configuration.LoadBad();

        Assert.Equal($"{Routes}:odd:Transforms:0:NoSuchTransform", finding.Key);

        configuration.Set($"{Routes}:odd:Transforms", """[{ "PathSet": "/a", "PathPrefix": "/b" }]""");
        Assert.Equal($"{Routes}:odd:Transforms:0", configuration.LoadBad().Key);
    }

    [Fact]
    public void Section_ThatYarpCannotRead_IsAnError()
    {
        configuration.Set("ReverseProxy:Clusters:organizations:HttpClient", """{ "SslProtocols": ["Tls99"] }""");

        Assert.Equal("ReverseProxy:Clusters:organizations:HttpClient:SslProtocols:0", configuration.LoadBad().Key);
    }
}
