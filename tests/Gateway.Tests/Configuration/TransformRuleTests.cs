using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A transform that could not do what it says, or would let a client speak for the gateway, is an error at its key; a safe one is not.</summary>
public sealed class TransformRuleTests : IDisposable
{
    private const string Transforms = "ReverseProxy:Routes:t:Transforms";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("A5", """{ "PathRemovePrefix": "/raft" }, { "RequestHeader": "X-Forwarded-Prefix", "Append": "/raft" }, { "X-Forwarded": "Append" }""")]
    [InlineData("A5 single", """{ "X-Forwarded": "Set", "For": "Append", "Prefix": "Append" }""")]
    [InlineData("A5 Forwarded", """{ "Forwarded": "for", "Action": "Append" }""")]
    [InlineData("A5 Forwarded without by", """{ "Forwarded": "for,by", "ByFormat": "None" }""")]
    [InlineData("A5 Forwarded without for", """{ "Forwarded": "for,by", "ForFormat": "none" }""")]
    [InlineData("A5 Forwarded with neither", """{ "Forwarded": "for,by,host", "ForFormat": "None", "ByFormat": "None" }""")]
    [InlineData(
        "A4 copy off",
        """{ "RequestHeadersCopy": "false" }, { "RequestHeader": "X-Gateway-Role", "Append": "user" },"""
            + """ { "RequestHeader": "Authorization", "Append": "Basic x" }""")]
    [InlineData("A4 certificate", """{ "ClientCert": "X-Client-Cert" }""")]
    [InlineData("S10 a plain header", """{ "RequestHeaderRouteValue": "X-Rest", "Set": "rest" }""")]
    public void A_safe_transform_is_no_finding(string name, string transforms)
    {
        Set(transforms);

        Assert.True(_configuration.Load().Findings is [], name + string.Join('\n', _configuration.Load().Findings));
    }

    [Theory]
    [InlineData("A4 the subject", """{ "RequestHeader": "X-Gateway-Subject", "Set": "root" }""", "0:RequestHeader", "gateway sets on every request")]
    [InlineData(
        "A4 the organization, otherwise spelled",
        """{ "RequestHeader": "x_gateway_organization", "Append": "o-1" }""",
        "0:RequestHeader",
        "gateway sets on every request")]
    [InlineData("A4 the request id", """{ "RequestHeader": "X-Request-ID", "Set": "1" }""", "0:RequestHeader", "gateway sets on every request")]
    [InlineData("A4 the trace", """{ "RequestHeaderRemove": "traceparent" }""", "0:RequestHeaderRemove", "gateway sets on every request")]
    [InlineData("A13 Via", """{ "RequestHeaderRemove": "via" }""", "0:RequestHeaderRemove", "gateway sets on every request")]
    [InlineData("A4 the certificate as subject", """{ "ClientCert": "X-Gateway-Subject" }""", "0:ClientCert", "gateway sets on every request")]
    [InlineData(
        "S10 the organization",
        """{ "RequestHeaderRouteValue": "X-Gateway-Organization", "Set": "rest" }""",
        "0:RequestHeaderRouteValue",
        "gateway sets on every request")]
    [InlineData(
        "S10 another of the gateway's kind",
        """{ "RequestHeaderRouteValue": "X-Gateway-Role", "Append": "rest" }""",
        "0:RequestHeaderRouteValue",
        "which the client chooses")]
    [InlineData("S10 an address", """{ "RequestHeaderRouteValue": "X-Real-IP", "Set": "rest" }""", "0:RequestHeaderRouteValue", "which the client chooses")]
    [InlineData(
        "S10 another proxy's user",
        """{ "RequestHeaderRouteValue": "X-Remote-User", "Set": "rest" }""",
        "0:RequestHeaderRouteValue",
        "which the client chooses")]
    [InlineData("S10 a token", """{ "RequestHeaderRouteValue": "Authorization", "Set": "rest" }""", "0:RequestHeaderRouteValue", "which the client chooses")]
    [InlineData("S10 a cookie", """{ "RequestHeaderRouteValue": "cookie", "Append": "rest" }""", "0:RequestHeaderRouteValue", "which the client chooses")]
    [InlineData("a length", """{ "RequestHeader": "Content-Length", "Set": "5" }""", "0:RequestHeader", "about the connection")]
    [InlineData("a coding", """{ "RequestHeader": "Transfer-Encoding", "Set": "chunked" }""", "0:RequestHeader", "about the connection")]
    [InlineData("the connection", """{ "RequestHeader": "Connection", "Append": "close" }""", "0:RequestHeader", "about the connection")]
    [InlineData("two hosts", """{ "RequestHeader": "Host", "Append": "a.example.com" }""", "0:Append", "two hosts")]
    [InlineData("no prefix", """{ "X-Forwarded": "Set", "HeaderPrefix": "" }""", "0:HeaderPrefix", "is empty")]
    public void Another_is_an_error_at_its_key(string name, string transforms, string key, string message)
    {
        Set(transforms);

        var error = _configuration.LoadBad();
        Assert.Equal((name, $"{Transforms}:{key}"), (name, error.Key));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Authorization", true)]
    [InlineData("X-Real-IP", true)]
    [InlineData("CF-Connecting-IP", true)]
    [InlineData("X-Custom;Content-Length;Accept", false)]
    public void Allowing_what_is_removed_is_a_warning(string headers, bool isFound)
    {
        Set($$"""{ "RequestHeadersAllowed": "{{headers}}" }""");

        var loaded = _configuration.Load();
        Assert.NotNull(loaded.Snapshot);
        Assert.Equal(
            isFound ? [(Severity.Warning, $"{Transforms}:0:RequestHeadersAllowed")] : [], loaded.Findings.Select(finding => (finding.Severity, finding.Key)));
    }

    [Theory]
    [InlineData("00:00:00", null)]
    [InlineData("00:00:04", null)]
    [InlineData("00:10:00", null)]
    [InlineData("00:00:01", "more than 00:00:01")]
    [InlineData("00:10:01", "up to 00:10:00")]
    [InlineData("-00:00:05", "more than 00:00:01")]
    [InlineData("5", "00:00:30")]
    public void C5_an_idle_time_is_one(string value, string? message)
    {
        _configuration.Set("ReverseProxy:Clusters:organizations:Metadata", $$"""{ "IdleTimeout": "{{value}}", "Team": "devices" }""");

        if (message is null) _configuration.LoadGood();
        else
        {
            var error = _configuration.LoadBad();
            Assert.Equal("ReverseProxy:Clusters:organizations:Metadata:IdleTimeout", error.Key);
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("https://devices.internal:8443/openapi/v1.json?view=public", true)]
    [InlineData("/openapi/v1.json", false)]
    [InlineData("devices:8080/openapi.json", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("http://user:secret@devices/openapi.json", false)]
    [InlineData("http://devices/openapi.json#part", false)]
    [InlineData("", false)]
    public void An_OpenApi_document_has_an_http_address(string value, bool isGood)
    {
        _configuration.Set("ReverseProxy:Clusters:organizations:Metadata", $$"""{ "OpenApi": "{{value}}" }""");

        if (isGood) _configuration.LoadGood();
        else
        {
            var error = _configuration.LoadBad();
            Assert.Equal("ReverseProxy:Clusters:organizations:Metadata:OpenApi", error.Key);
            Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void C5_a_misspelt_idle_time_is_an_error()
    {
        _configuration.Set("ReverseProxy:Clusters:organizations:Metadata", """{ "IdelTimeout": "00:00:04" }""");

        Assert.Contains("IdleTimeout", _configuration.LoadBad().Message, StringComparison.Ordinal);
    }

    [Fact]
    public void C1_an_encoding_of_responses_is_a_warning()
    {
        _configuration.Set("ReverseProxy:Clusters:organizations:HttpClient", """{ "ResponseHeaderEncoding": "utf-8" }""");

        Assert.Equal(
            (Severity.Warning, "ReverseProxy:Clusters:organizations:HttpClient:ResponseHeaderEncoding"),
            _configuration.Load().Findings.Select(finding => (finding.Severity, finding.Key)).Single());
    }

    [Theory]
    [InlineData("A13 localhost", "http://localhost:8080", "http://localhost:8080/", true)]
    [InlineData("A13 loopback by another name", "http://localhost:8080", "http://127.0.0.1:8080/x", true)]
    [InlineData("A13 another loopback", "http://127.0.0.1:8080", "http://127.1.2.3:8080/", true)]
    [InlineData("A13 IPv6 loopback", "http://localhost:8080", "http://[::1]:8080/", true)]
    [InlineData("A13 any", "http://0.0.0.0:8080", "http://localhost:8080/", true)]
    [InlineData("A13 any IPv6", "http://[::]:8080", "http://[::ffff:127.0.0.1]:8080/", true)]
    [InlineData("A13 star", "http://*:8080", "https://127.0.0.1:8080/", true)]
    [InlineData("A13 the default port", "http://*:80", "http://localhost/", true)]
    [InlineData("A13 the second of two", "http://127.0.0.1:1;http://127.0.0.1:8080", "http://127.0.0.1:8080/", true)]
    [InlineData("A13 management", "http://127.0.0.1:1", "http://localhost:9090/", true)]
    [InlineData("A13 another port", "http://localhost:8080", "http://localhost:8081/", false)]
    [InlineData("A13 another host", "http://0.0.0.0:8080", "http://organizations.internal:8080/", false)]
    [InlineData("A13 one address alone", "http://192.0.2.1:8080", "http://localhost:8080/", false)]
    public void A_destination_that_the_gateway_listens_on_is_a_warning(string name, string urls, string address, bool isFound) =>
        Check(name, urls, address, isFound);

    [Fact]
    public void A13_the_machines_own_name_is_found() => Check("name", "http://*:8080", $"http://{Environment.MachineName}:8080/", true);

    [Fact]
    public void A13_a_named_services_address_is_found()
    {
        _configuration.Set("Urls", "\"http://*:8080\"").Set("Services:devices:Http", """["127.0.0.1:8080"]""");

        Assert.Contains(_configuration.Load().Findings, static finding => finding is { Severity: Severity.Warning, Key: "Services:devices:Http:0" });
    }

    private void Check(string name, string urls, string address, bool isFound)
    {
        _configuration.Set("Urls", $"\"{urls}\"").Set("ReverseProxy:Clusters:organizations:Destinations:a:Address", $"\"{address}\"");

        var warned = _configuration.Load().Findings.Any(
            static finding => finding is { Severity: Severity.Warning, Key: "ReverseProxy:Clusters:organizations:Destinations:a:Address" });
        Assert.Equal((name, isFound), (name, warned));
    }

    private void Set(string transforms) =>
        _configuration.Set(
            "ReverseProxy:Routes:t", $$"""{ "ClusterId": "organizations", "Match": { "Path": "/t/{**rest}" }, "Transforms": [{{transforms}}] }""");
}
