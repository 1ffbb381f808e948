using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>
/// What serving could not build, or would fail with for every request, is an error of the configuration: at its key, with its line and with what to write.
/// </summary>
public sealed class DryRunTests : IDisposable
{
    private const string Route = "ReverseProxy:Routes:r";
    private const string Cluster = "ReverseProxy:Clusters:c";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("A1 a URL", "https://www.example.com", "\"www.example.com\"")]
    [InlineData("A1 a URL with a port", "http://www.example.com:8443/", "\"www.example.com:8443\"")]
    [InlineData("A1 a port that is none", "www.example.com:https", "not a host")]
    [InlineData("A1 port 0", "www.example.com:0", "not a host")]
    [InlineData("A1 a port beyond all", "www.example.com:70000", "not a host")]
    [InlineData("A1 two ports", "www.example.com:80:81", "not a host")]
    [InlineData("A1 an IPv6 address", "[::1]:8080", "not a host")]
    [InlineData("A1 a path", "www.example.com/api", "\"www.example.com\"")]
    [InlineData("A1 a blank", "www.example.com ", "\"www.example.com\"")]
    [InlineData("A1 only a port", ":8080", "not a host")]
    [InlineData("A1 empty", "", "not a host")]
    [InlineData("A1 a wildcard within", "www.*.example.com", "not a host")]
    [InlineData("A1 Punycode", "xn--bcher-kva.example.com", "\"bücher.example.com\"")]
    public void A1_A_host_that_no_request_names(string name, string host, string expected) =>
        FindsOne(name, $"{Route}:Match:Hosts:0", expected, () => Add("/r/{**rest}", "Match:Hosts", new JsonArray(host)));

    [Theory]
    [InlineData("www.example.com")]
    [InlineData("*.example.com")]
    [InlineData("*.example.com:8443")]
    [InlineData("www.example.com:*")]
    [InlineData("bücher.example.com")]
    [InlineData("127.0.0.1:8080")]
    [InlineData("under_score")]
    [InlineData("*")]
    [InlineData("*:8080")]
    public void A1_A_host_that_requests_name_is_good(string host)
    {
        Add("/r/{**rest}", "Match:Hosts", new JsonArray(host));
        _configuration.LoadGood();
    }

    [Theory]
    [InlineData("A1 an escaped blank", "/my%20files/{id}", "my%20files")]
    [InlineData("S4 an escaped letter", "/organizati%6Fns/{id}/devices", "organizati%6Fns")]
    [InlineData("A1 a parameter of the path", "/a;b/{id}", "a;b")]
    [InlineData("A1 a step up", "/a/../b", "..")]
    [InlineData("A1 beside a parameter", "/a/{id}%2F{other}", "%2F")]
    public void A1_A_path_that_no_request_has(string name, string path, string expected) => FindsOne(name, $"{Route}:Match:Path", expected, () => Add(path));

    [Theory]
    [InlineData("A1 unknown", "/v{version:apiVersion}/x", "Known here: alpha, bool")]
    [InlineData("A10 from code", "/v{version:apiVersion}/x", "from your own code does not run here: write one of these, or {version} without one.")]
    [InlineData("A1 misspelt", "/{id:itn}", "Did you mean \"int\"?")]
    [InlineData("A1 no number", "/{id:min(a)}", "cannot be built")]
    [InlineData("A1 too few arguments", "/{id:range(1)}", "cannot be built")]
    [InlineData("A1 too many arguments", "/{id:min(1,2)}", "cannot be built")]
    [InlineData("A1 an empty argument", "/{id:length()}", "cannot be built")]
    [InlineData("A1 a range without anything in it", "/{id:range(5,1)}", "cannot be built")]
    [InlineData("A1 a regular expression that is none", "/{id:regex(^[a-z)}", "cannot be built")]
    [InlineData("A1 on a catch-all", "/{**rest:none}", "Known here")]
    [InlineData("A1 on an optional one", "/{id:none?}", "Known here")]
    [InlineData("A1 within a segment", "/a-{id:none}.js", "Known here")]
    public void A1_A_constraint_that_is_none(string name, string path, string expected) =>
        FindsOne(name, $"{Route}:Match:Path", expected, () => Add("/r" + path));

    [Theory]
    [InlineData("A3 braces", "/r/{a/{b}")]
    [InlineData("A3 two catch-alls", "/r/{*a}/{*b}")]
    [InlineData("A3 one name twice", "/r/{a}/{a}")]
    [InlineData("A3 more segments than a pattern can have", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30")]
    public void A3_A_path_that_is_no_pattern(string name, string path) => FindsOne(name, $"{Route}:Match:Path", "not a route pattern", () => Add(path));

    [Theory]
    [InlineData("A3 the reported case", "PathPattern", "/v/{version/{**rest}", "not a route pattern")]
    [InlineData("A3 a brace too many", "PathPattern", "/v/{rest}}", "not a route pattern")]
    [InlineData("A3 a segment too many", "PathPattern", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29", "28 segments")]
    [InlineData("A3 a constraint in a pattern", "PathPattern", "/v/{**rest:none}", "Known here")]
    [InlineData("A7 a parameter that is not bound", "PathPattern", "/v/{version}/{**rest}", "Match:Path binds {rest}")]
    [InlineData("A7 an optional one", "PathPattern", "/v/{version?}", "Match:Path binds {rest}")]
    [InlineData("A7 slashes are escaped", "PathPattern", "/v/{rest}", "{**rest}")]
    [InlineData("A7 slashes are escaped by one star", "PathPattern", "/v/{*rest}", "{**rest}")]
    [InlineData("A7 braces in a set path", "PathSet", "/v/{rest}", "PathPattern")]
    [InlineData("A7 braces in a prefix", "PathPrefix", "/{rest}", "PathPattern")]
    [InlineData("A7 a query in a set path", "PathSet", "/v?x=1", "QueryValueParameter")]
    [InlineData("S4 an escaped letter in a pattern", "PathPattern", "/%6Frganizations/{rest}", "Write each character itself")]
    [InlineData("S4 an escaped letter in a default", "PathPattern", "/{x=organizati%6Fns}/{y=o-2}", "Write each character itself")]
    [InlineData("A7 an escaped blank in a prefix", "PathPrefix", "/my%20files", "Write each character itself")]
    [InlineData("A7 an escaped slash in a set path", "PathSet", "/organizations%2Fo-2", "Write each character itself")]
    [InlineData("A7 an escape in a removed prefix", "PathRemovePrefix", "/%72", "Write each character itself")]
    [InlineData("S4 dots in a set path", "PathSet", "/a/../organizations/./o-1", "Write the path without them")]
    [InlineData("S4 dots that leave the destination's path", "PathSet", "/../o-2", "Write the path without them")]
    [InlineData("S4 dots in a pattern", "PathPattern", "/organizations/../{**rest}", "Write the path without them")]
    [InlineData("S4 a dot at the end of a prefix", "PathPrefix", "/v/.", "Write the path without them")]
    [InlineData("A7 dots in a removed prefix", "PathRemovePrefix", "/..", "Write the path without them")]
    [InlineData("A7 a fragment in a prefix", "PathPrefix", "/v#x", "Remove it")]
    [InlineData("A7 a backslash", "PathPrefix", "\\v", "Remove it")]
    [InlineData("A7 empty", "PathPattern", "", "Write a path")]
    [InlineData("A7 a prefix that no path begins with", "PathRemovePrefix", "/r/", "Write \"/r\"")]
    [InlineData("A8 a header's name with a blank", "RequestHeaderRemove", "X Name", "not the name of a header")]
    [InlineData("A8 a header's name with a colon", "ResponseHeaderRemove", "X-Name:", "not the name of a header")]
    [InlineData("A8 a list with a bad name", "ResponseHeadersAllowed", "X-Name;X Other", "not the name of a header")]
    [InlineData("A8 a header's name beyond ASCII", "ClientCert", "X-Zertifikät", "not the name of a header")]
    [InlineData("A8 an empty name", "ResponseTrailerRemove", "", "not the name of a header")]
    public void A3_A7_A8_A_transform_that_cannot_work(string name, string transform, string value, string expected) =>
        FindsOne(
            name, $"{Route}:Transforms:0:{transform}", expected, () => Add("/r/{**rest}", "Transforms", new JsonArray(new JsonObject { [transform] = value })));

    [Theory]
    [InlineData("A8 the reported case", "ResponseHeader", "X-Name", "Set", "Ägypten", "Set", "U+00C4")]
    [InlineData("A8 appended", "ResponseHeader", "X-Name", "Append", "a\nb", "Append", "U+000A")]
    [InlineData("A8 a trailer", "ResponseTrailer", "X-Name", "Set", "\u007f", "Set", "U+007F")]
    [InlineData("A8 a request's header", "RequestHeader", "X-Name", "Set", "a\rb", "Set", "U+000D")]
    [InlineData("A8 a response's name", "ResponseHeader", "X Name", "Set", "a", "ResponseHeader", "not the name of a header")]
    [InlineData("A8 a request's name", "RequestHeader", "Name\t", "Set", "a", "RequestHeader", "not the name of a header")]
    [InlineData("A8 a name from a route value", "RequestHeaderRouteValue", "(x)", "Set", "rest", "RequestHeaderRouteValue", "not the name of a header")]
    [InlineData("A8 a length", "ResponseHeader", "content-length", "Set", "5", "ResponseHeader", "server's alone")]
    [InlineData("A8 an encoding", "RequestHeader", "Transfer-Encoding", "Set", "gzip", "RequestHeader", "the gateway sets it")]
    [InlineData("A8 a method", "HttpMethodChange", "PUT", "Set", "PO ST", "Set", "not a method")]
    [InlineData("A8 a tunnel", "HttpMethodChange", "PUT", "Set", "CONNECT", "Set", "not a method")]
    [InlineData("A8 a response without its body", "HttpMethodChange", "GET", "Set", "HEAD", "Set", "no body")]
    [InlineData("A8 a host that is an address", "RequestHeader", "Host", "Set", "https://a.example.com", "Set", "not a host")]
    [InlineData("A8 a host with a path", "RequestHeader", "host", "Set", "a.example.com/x", "Set", "not a host")]
    [InlineData("A8 no host", "RequestHeader", "Host", "Set", "", "Set", "not a host")]
    [InlineData("A7 a header from an unknown parameter", "RequestHeaderRouteValue", "X-Name", "Set", "id", "Set", "Match:Path binds {rest}")]
    [InlineData("A7 a query from an unknown parameter", "QueryRouteParameter", "q", "Append", "id", "Append", "Match:Path binds {rest}")]
    public void A7_A8_A_value_that_cannot_be_sent(string name, string transform, string text, string value, string set, string key, string expected) =>
        FindsOne(
            name, $"{Route}:Transforms:0:{key}", expected,
            () => Add("/r/{**rest}", "Transforms", new JsonArray(new JsonObject { [transform] = text, [value] = set })));

    [Theory]
    [InlineData("A10 nothing that says what to change", """{ "Set": "x-range" }""", "", "no key that says what to change")]
    [InlineData("A10 two in one", """{ "PathPrefix": "/a", "PathSet": "/b" }""", "", "each item is one transform")]
    [InlineData("A10 neither", """{ "RequestHeader": "X-Name" }""", "", "none of Set and Append")]
    [InlineData("A10 both", """{ "ResponseHeader": "X-Name", "Set": "a", "Append": "b" }""", "", "both of Set and Append")]
    [InlineData("A10 a key of another", """{ "PathSet": "/a", "When": "Always" }""", ":When", "has no place beside PathSet")]
    [InlineData("A10 an action that is none", """{ "Forwarded": "by", "Action": "Keep" }""", ":Action", "Write one of")]
    [InlineData("A10 a part that is none", """{ "Forwarded": "for,port" }""", "", "Write one transform an item")]
    public void A10_A_transform_that_is_none(string name, string json, string below, string expected) =>
        FindsOne(name, $"{Route}:Transforms:0{below}", expected, () => Add("/r/{**rest}", "Transforms", new JsonArray(JsonNode.Parse(json))));

    [Fact]
    public void A7_A_parameter_that_may_be_left_out() =>
        FindsOne(
            "A7", $"{Route}:Transforms:0:PathPattern", "{id?}",
            () => Add("/r/{id?}", "Transforms", new JsonArray(new JsonObject { ["PathPattern"] = "/v/{id}" })));

    [Theory]
    [InlineData("/r/{**rest}", """[{ "PathPattern": "/v/{**rest}" }]""")]
    [InlineData("/r/{id}/{x=1}", """[{ "PathPattern": "/{x}/{id}/{y=2}" }]""")]
    [InlineData("/r/{id?}", """[{ "PathPattern": "v/{id?}" }]""")]
    [InlineData("/r/{**rest}", """[{ "PathRemovePrefix": "/r" }, { "PathPrefix": "/a b/" }, { "RequestHeader": "X-Name", "Set": "" }]""")]
    [InlineData(
        "/r/{id:regex(^[a-z]{{2}}$)}",
        """[{ "RequestHeaderRouteValue": "X-Id", "Append": "ID" }, { "ResponseHeader": "X-A", "Append": "b c", "When": "Always" }]""")]
    [InlineData(
        "/r/{a:int:min(5)}/{b:length(2,4)}/{c:guid}",
        """[{ "X-Forwarded": "Set", "HeaderPrefix": "X-Forwarded-", "For": "Off" }, { "HttpMethodChange": "PUT", "Set": "POST" }]""")]
    public void A_transform_that_works_is_good(string path, string transforms)
    {
        Add(path, "Transforms", JsonNode.Parse(transforms)!);
        _configuration.LoadGood();
    }

    [Theory]
    [InlineData("A7 a blank at the end", "http://localhost:5001/ ", "blank")]
    [InlineData("A7 a blank before", " http://localhost:5001/", "blank")]
    [InlineData("A7 a tab within", "http://localhost:5001/a\tb", "blank")]
    [InlineData("A7 a query", "http://localhost:5001/?a=b", "query")]
    [InlineData("A7 a fragment", "http://localhost:5001/#a", "fragment")]
    [InlineData("A7 a backslash", "http://localhost:5001\\a", "backslash")]
    [InlineData("A7 port 0", "http://localhost:0/", "port 0")]
    [InlineData("A7 a placeholder", "http://localhost:5001/{tenant}/", "cannot")]
    [InlineData("A7 a step up", "http://localhost:5001/a/../b", "another path")]
    [InlineData("A7 an empty segment", "http://localhost:5001//a", "another path")]
    [InlineData("A7 no host", "http:///a", "absolute")]
    [InlineData("A1 the address of every listener", "http://0.0.0.0:5001/", "no client can ask")]
    [InlineData("A1 a socket as nginx writes it", "http://unix:/tmp/service.sock", "Unix socket")]
    [InlineData("A1 a socket as nginx writes it, with TLS", "https://unix:/tmp/service.sock", "Unix socket")]
    [InlineData("A1 a socket as nginx writes it, relative", "http://unix:service.sock", "Unix socket")]
    [InlineData("A1 a socket as nginx writes it, with a path", "HTTP://unix:/tmp/service.sock:/api/", "Unix socket")]
    [InlineData("A1 the address of every listener, written as one of IPv6", "http://[::ffff:0:0]:5001/", "no client can ask")]
    [InlineData("A1 the same of IPv6", "http://[::]:5001/", "no client can ask")]
    public void A7_An_address_that_no_request_reaches(string name, string address, string expected)
    {
        FindsOne(name, $"{Cluster}:Destinations:a:Address", expected, () =>
            Add("/r/{**rest}").Set($"{Cluster}:Destinations:a:Address", JsonValue.Create(address).ToJsonString()));
    }

    [Fact]
    public void A7_A_user_in_an_address_is_a_warning_that_does_not_show_it()
    {
        Add("/r/{**rest}").Set($"{Cluster}:Destinations:a:Address", "\"http://user:password@localhost:5001/\"");
        var finding = Assert.Single(_configuration.Load().Findings);
        Assert.Equal((Severity.Warning, $"{Cluster}:Destinations:a:Address"), (finding.Severity, finding.Key));
        Assert.DoesNotContain("password", finding.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("A9 the reported case", "HealthCheck:Active:Path", "\"health\"", "not a path")]
    [InlineData("A9 a query in the path", "HealthCheck:Active:Path", "\"/health?all\"", "not a path")]
    [InlineData("A9 a whole address", "HealthCheck:Active:Path", "\"http://localhost/health\"", "not a path")]
    [InlineData("A9 a query without its mark", "HealthCheck:Active:Query", "\"all=true\"", "not a query")]
    [InlineData("A9 a fragment in the query", "HealthCheck:Active:Query", "\"?all#x\"", "not a query")]
    [InlineData("A9 no time", "HealthCheck:Active:Interval", "\"00:00:00\"", "must be positive", "HealthCheck:Active")]
    [InlineData("A9 a policy that is none", "HealthCheck:Active:Policy", "\"ConsecutiveFailure\"", "Did you mean \"ConsecutiveFailures\"?")]
    [InlineData("A9 the destination's own address", "Destinations:a:Health", "\"localhost:5002\"", "no absolute")]
    [InlineData("A9 the destination's own host", "Destinations:a:Host", "\"http://other\"", "not a host")]
    [InlineData("A10 load balancing", "LoadBalancingPolicy", "\"LeastConnections\"", "Known here: ")]
    [InlineData("A10 load balancing from code", "LoadBalancingPolicy", "\"LastLetter\"", "A policy from your own code does not run here: write one of these")]
    [InlineData(
        "A10 passive health", "HealthCheck:Passive", """{ "Enabled": true, "Policy": "None" }""",
        "Known here: TransportFailureRate", "HealthCheck:Passive:Policy")]
    [InlineData(
        "A10 affinity", "SessionAffinity", """{ "Enabled": true, "Policy": "Sticky", "AffinityKeyName": "k" }""",
        "Known here: ArrCookie, HashCookie. A policy from your own code", "SessionAffinity:Policy")]
    [InlineData("A10 affinity without a key", "SessionAffinity", """{ "Enabled": true, "Policy": "HashCookie" }""", "Write such as")]
    [InlineData(
        "A8 affinity with a name that is none", "SessionAffinity", """{ "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "k k" }""",
        "not the name of a cookie", "SessionAffinity:AffinityKeyName")]
    [InlineData(
        "A8 a cookie's path", "SessionAffinity", """{ "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "k", "Cookie": { "Path": "/ä" } }""",
        "no cookie can say", "SessionAffinity:Cookie:Path")]
    [InlineData(
        "A8 a cookie beyond the calendar",
        "SessionAffinity",
        """{ "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "k", "Cookie": { "Expiration": "3000000.00:00:00" } }""",
        "no cookie can last",
        "SessionAffinity:Cookie:Expiration")]
    [InlineData(
        "A8 a cookie's age beyond the calendar",
        "SessionAffinity",
        """{ "Enabled": true, "Policy": "ArrCookie", "AffinityKeyName": "k", "Cookie": { "MaxAge": "10675199.00:00:00" } }""",
        "no cookie can last",
        "SessionAffinity:Cookie:MaxAge")]
    [InlineData(
        "A8 a cookie's age below zero",
        "SessionAffinity",
        """{ "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "k", "Cookie": { "MaxAge": "-00:00:01" } }""",
        "no cookie can last",
        "SessionAffinity:Cookie:MaxAge")]
    [InlineData(
        "A8 a cookie of no time",
        "SessionAffinity",
        """{ "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "k", "Cookie": { "Expiration": "00:00:00" } }""",
        "no cookie can last",
        "SessionAffinity:Cookie:Expiration")]
    [InlineData("A9 failures in words", "Metadata:ConsecutiveFailuresHealthPolicy.Threshold", "\"three\"", "such as \"3\"")]
    [InlineData("A9 no failures", "Metadata:ConsecutiveFailuresHealthPolicy.Threshold", "\"0\"", "1 or more")]
    [InlineData("A9 failures without end", "Metadata:ConsecutiveFailuresHealthPolicy.Threshold", "\"NaN\"", "1 or more")]
    [InlineData("A9 a rate in percent", "Metadata:TransportFailureRateHealthPolicy.RateLimit", "\"30\"", "at most 1")]
    [InlineData("A9 a rate with a sign", "Metadata:TransportFailureRateHealthPolicy.RateLimit", "\"30%\"", "at most 1")]
    [InlineData("A9 a rate with a comma", "Metadata:TransportFailureRateHealthPolicy.RateLimit", "\"0,3\"", "at most 1")]
    [InlineData("A9 a rate of none", "Metadata:TransportFailureRateHealthPolicy.RateLimit", "\"0\"", "above 0")]
    [InlineData("A10 an encoding", "HttpClient:RequestHeaderEncoding", "\"utf9\"", "Write such as", "HttpClient")]
    [InlineData("A10 connections", "HttpClient:MaxConnectionsPerServer", "0", "Write such as", "HttpClient")]
    [InlineData("A10 a number that is too large", "HttpClient:MaxConnectionsPerServer", "3000000000", "Write a whole number")]
    [InlineData("A10 a protocol", "HttpClient:SslProtocols", """[ "Tls12", "TLS1.2" ]""", "Write Tls12 or Tls13", "HttpClient:SslProtocols:1")]
    [InlineData("A10 a number of a protocol", "HttpClient:SslProtocols", """[ "3072" ]""", "Write Tls12 or Tls13", "HttpClient:SslProtocols:0")]
    [InlineData("A10 a version", "HttpRequest:Version", "\"two\"", "Write 1.1, 2 or 3")]
    [InlineData("A10 a version that is none", "HttpRequest:Version", "\"5\"", "Write such as", "HttpRequest")]
    [InlineData("A10 a proxy", "HttpClient:WebProxy:Address", "\"not an address\"", "http://proxy")]
    [InlineData("A1 a proxy without a scheme", "HttpClient:WebProxy:Address", "\"proxy:3128\"", "http://proxy")]
    [InlineData("A9 an interval beyond a timer's longest", "HealthCheck:Active:Interval", "\"60.00:00:00\"", "49.00:00:00")]
    public void A9_A10_A_cluster_that_cannot_be_used(string name, string key, string json, string expected, string? at = null) =>
        FindsOne(name, $"{Cluster}:{at ?? key}", expected, () =>
        {
            Add("/r/{**rest}").Set($"{Cluster}:{key}", json);
            if (key.StartsWith("HealthCheck:Active", StringComparison.Ordinal)) _configuration.Set($"{Cluster}:HealthCheck:Active:Enabled", "true");
        });

    [Theory]
    [InlineData("A6 the reported case", """{ "Path": "{n}.js" }""", """{ "Path": "/src_{n}_ts.js" }""")]
    [InlineData("A6 a start and an end", """{ "Path": "/a{x}" }""", """{ "Path": "/{y}b" }""")]
    [InlineData("A6 a constraint and parts", """{ "Path": "/f/{n:file}" }""", """{ "Path": "/f/{a}.{b}" }""")]
    [InlineData("A6 constraints that overlap", """{ "Path": "/{x:int}/z" }""", """{ "Path": "/{y:min(41)}/z" }""")]
    [InlineData("A6 expressions that overlap", """{ "Path": "/{x:regex(^(en|de)$)}" }""", """{ "Path": "/{y:regex(^(de|fr)$)}" }""")]
    [InlineData("A6 optional and default", """{ "Path": "/o/{x?}" }""", """{ "Path": "/o/{y=1}" }""")]
    [InlineData("A6 catch-alls", """{ "Path": "/s/{*x}" }""", """{ "Path": "/S/{**y}" }""")]
    [InlineData(
        "A6 other headers",
        """{ "Path": "/h", "Headers": [{ "Name": "X-A", "Mode": "Exists" }] }""",
        """{ "Path": "/h", "Headers": [{ "Name": "X-B", "Values": ["1"] }] }""")]
    [InlineData(
        "A6 prefixes of one header",
        """{ "Path": "/h", "Headers": [{ "Name": "X-A", "Mode": "HeaderPrefix", "Values": ["1"] }] }""",
        """{ "Path": "/h", "Headers": [{ "Name": "x-a", "Mode": "HeaderPrefix", "Values": ["12"] }] }""")]
    [InlineData(
        "A6 other parameters",
        """{ "Path": "/q", "QueryParameters": [{ "Name": "a", "Mode": "Exists" }] }""",
        """{ "Path": "/q", "QueryParameters": [{ "Name": "b", "Values": ["1"] }] }""")]
    [InlineData("A6 methods in common", """{ "Path": "/{x}.js", "Methods": ["GET", "PUT"] }""", """{ "Path": "/{x}a.js", "Methods": ["POST", "PUT"] }""")]
    [InlineData(
        "A6 hosts in common",
        """{ "Path": "/{x}.js", "Hosts": ["a.example.com"] }""",
        """{ "Path": "/{x}a.js", "Hosts": ["b.example.com", "a.example.com"] }""")]
    public void A6_Two_routes_that_fit_one_request_are_an_error_that_names_both(string name, string one, string other)
    {
        _configuration.Write("appsettings.json", Example.Json);
        _configuration.Set(Cluster, """{ "Destinations": { "a": { "Address": "http://localhost:5099/" } } }""");
        _configuration.Set("ReverseProxy:Routes:a", $$"""{ "ClusterId": "c", "Match": {{one}} }""")
            .Set("ReverseProxy:Routes:b", $$"""{ "ClusterId": "c", "Match": {{other}} }""");
        var read = _configuration.Load();
        var finding = Assert.Single(read.Findings);
        Assert.True(finding.Key == "ReverseProxy:Routes:b:Match", $"{name}: {finding}");
        Assert.Contains("requests as the route \"a\"", finding.Message, StringComparison.Ordinal);

        _configuration.Set("ReverseProxy:Routes:b:Order", "-1").Load();
        Assert.DoesNotContain(_configuration.Load().Findings, each => each.Message.Contains("of the same requests", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{ "Path": "/{x:int}" }""", """{ "Path": "/{y:alpha}" }""")]
    [InlineData("""{ "Path": "/{x:regex(^en$)}" }""", """{ "Path": "/{y:regex(^de$)}" }""")]
    [InlineData("""{ "Path": "/{x}.js" }""", """{ "Path": "/{x}.css" }""")]
    [InlineData("""{ "Path": "/a-{x}" }""", """{ "Path": "/b-{x}" }""")]
    [InlineData(
        """{ "Path": "/h", "Headers": [{ "Name": "X-V", "Values": ["1"] }] }""", """{ "Path": "/h", "Headers": [{ "Name": "X-V", "Values": ["2"] }] }""")]
    [InlineData("""{ "Path": "/{x}.js", "Methods": ["GET"] }""", """{ "Path": "/{x}a.js", "Methods": ["PUT"] }""")]
    [InlineData("""{ "Path": "/{x}.js", "Hosts": ["a.example.com"] }""", """{ "Path": "/{x}a.js", "Hosts": ["*.example.com"] }""")]
    public void Routes_that_no_request_fits_both_of_are_good(string one, string other)
    {
        _configuration.Write("appsettings.json", Example.Json);
        _configuration.Set(Cluster, """{ "Destinations": { "a": { "Address": "http://localhost:5099/" } } }""");
        _configuration.Set("ReverseProxy:Routes:a", $$"""{ "ClusterId": "c", "Match": {{one}} }""")
            .Set("ReverseProxy:Routes:b", $$"""{ "ClusterId": "c", "Match": {{other}} }""")
            .LoadGood();
    }

    [Theory]
    [InlineData("A6 more pairs than are tried", 1002, """{{ "Path": "/p{0}-{{x}}" }}""", true)]
    [InlineData("A6 more requests than are tried", 400, """{{ "Path": "/h", "Headers": [{{ "Name": "X-V", "Values": ["{0}"] }}] }}""", true)]
    [InlineData("A6 as many as are tried", 300, """{{ "Path": "/p{0}-{{x}}" }}""", false)]
    public void A6_Pairs_that_were_not_tried_are_a_warning(string name, int count, string match, bool isFound)
    {
        _configuration.Write("appsettings.json", Example.Json);
        _configuration.Set(Cluster, """{ "Destinations": { "a": { "Address": "http://localhost:5099/" } } }""");
        var routes = new JsonObject();
        var format = System.Text.CompositeFormat.Parse(match);
        for (var index = 0; index < count; index++)
            routes[$"r{index}"] = new JsonObject { ["ClusterId"] = "c", ["Match"] = JsonNode.Parse(string.Format(null, format, index)) };
        _configuration.Set("IotCredentials", null).Set("ReverseProxy:Routes", routes.ToJsonString());

        var findings = _configuration.Load().Findings.Where(finding => finding.Key == "ReverseProxy:Routes").ToArray();

        Assert.True(isFound == (findings is [{ Severity: Severity.Warning }]), $"{name}: {string.Join('\n', (IEnumerable<Finding>)findings)}");
    }

    [Fact]
    public void A10_What_YARP_cannot_read_hides_nothing_else()
    {
        Add("/r/{**rest}", "Transforms", new JsonArray(new JsonObject { ["PathPrefix"] = "/a" }, new JsonObject { ["Set"] = "x-range" }));
        _configuration.Set($"{Cluster}:HttpClient:SslProtocols", """["TLS1.2"]""")
            .Set("ReverseProxy:Routes:organizations:Match:Hosts", """["http://a"]""")
            .Set($"{Route}:Order", "9999999999");

        Assert.Equal(
            [$"{Cluster}:HttpClient:SslProtocols:0", "ReverseProxy:Routes:organizations:Match:Hosts:0", $"{Route}:Order", $"{Route}:Transforms:1"],
            _configuration.Load().Findings.Select(finding => finding.Key));
    }

    [Theory]
    [InlineData("AuthorizationPolicy", "authenticated")]
    [InlineData("RateLimiterPolicy", "fixed")]
    [InlineData("RateLimiterPolicy", "default")]
    [InlineData("CorsPolicy", "Default")]
    [InlineData("CorsPolicy", "my \"policy\"")]
    public void A10_A_policy_that_is_defined_in_code_elsewhere_comes_with_what_to_paste(string key, string name)
    {
        Add("/r/{**rest}", key, name);
        var finding = _configuration.LoadBad();
        Assert.Equal($"{Route}:{key}", finding.Key);

        var pasted = JsonNode.Parse(
            "{" + Regex.Match(finding.Message, "\"[A-Za-z]+\": \\{ \"Policies\": .* \\} \\}(?= |\\.|$)").Value.TrimEnd('.') + "}")!.AsObject();
        var section = pasted.Single().Key;
        var policy = pasted[section]!["Policies"]!.AsObject().Single();
        _configuration.Write("appsettings.Production.json", pasted.ToJsonString());
        _configuration.Set($"{Route}:{key}", JsonValue.Create(policy.Key).ToJsonString()).LoadGood();
    }

    [Fact]
    public void A10_Metadata_of_ones_own_is_told_where_it_may_go()
    {
        Add("/r/{**rest}", "Metadata", new JsonObject { ["MyName"] = "MyValue" });
        var finding = _configuration.LoadBad();
        Assert.Equal($"{Route}:Metadata:MyName", finding.Key);
        Assert.Contains("Metadata of the cluster", finding.Message, StringComparison.Ordinal);

        _configuration.Set($"{Route}:Metadata", null)
            .Set($"{Cluster}:Metadata:MyName", "\"MyValue\"")
            .Set($"{Cluster}:Destinations:a:Metadata:MyName", "\"MyValue\"")
            .LoadGood();
    }

    private ConfigurationFixture Add(string path, string? key = null, JsonNode? value = null)
    {
        var isBound = path.Contains("{organizationId", StringComparison.OrdinalIgnoreCase);
        _configuration.Write("appsettings.json", Example.Json);
        _configuration.Set(Route, new JsonObject
        {
            ["ClusterId"] = "c",
            ["AuthorizationPolicy"] = isBound ? "OrganizationMember" : null,
            ["Match"] = new JsonObject { ["Path"] = path },
        }.ToJsonString());
        // Another service than the organizations': what reaches that one is for other rules.
        _configuration.Set(Cluster, """{ "Destinations": { "a": { "Address": "http://localhost:5099/" } } }""");
        return key is null ? _configuration : _configuration.Set($"{Route}:{key}", value!.ToJsonString());
    }

    private void FindsOne(string name, string key, string expected, Action change)
    {
        change();
        var read = _configuration.Load();
        Assert.True(read is { Snapshot: null, Findings.Count: 1, CannotRead: false }, $"{name}:\n{string.Join('\n', read.Findings)}");
        var finding = read.Findings[0];
        Assert.Equal((key, "appsettings.json:1"), (finding.Key, finding.Source));
        Assert.Contains(expected, finding.Message, StringComparison.Ordinal);
        Assert.Matches("Write |Remove |Name |Known here|Did you mean", finding.Message);
        Assert.DoesNotContain("'r'", finding.Message, StringComparison.Ordinal);
    }
}
