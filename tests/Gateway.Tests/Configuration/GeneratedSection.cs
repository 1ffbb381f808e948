using System.Globalization;
using System.Text.Json.Nodes;

namespace Gateway.Tests.Configuration;

/// <summary>A section <c>ReverseProxy</c> as an operator might write it on a bad day: each piece good or broken, by chance.</summary>
internal sealed class GeneratedSection
{
    private static readonly (string Path, string[] Requests)[] s_paths =
    [
        ("/a/{**rest}", ["/a/b/c", "/a", "/a/x.js"]), ("/a/{rest}", ["/a/b"]), ("/{n}.js", ["/x.js", "/src_x_ts.js"]), ("/src_{n}_ts.js", ["/src_x_ts.js"]),
        ("/a{x}", ["/ab", "/axb"]), ("/{y}b", ["/ab"]), ("/{id:int}", ["/5", "/x"]), ("/{id:long}", ["/5"]), ("/{name:alpha}", ["/x", "/5"]),
        ("/{id:min(3)}", ["/5", "/1"]), ("/{id:range(1,9)}", ["/5"]), ("/{id:regex(^[a-z]{{2}}$)}", ["/ab", "/en"]), ("/{id:regex(^(en|de)$)}", ["/en"]),
        ("/{id:length(2)}", ["/ab", "/12"]), ("/{id:guid}", ["/x"]), ("/a/{b?}", ["/a", "/a/b"]), ("/a/{b=1}", ["/a", "/a/b"]), ("/A/B", ["/a/b"]),
        ("/a/b", ["/a/b"]), ("/a/b/", ["/a/b/"]), ("/", ["/"]), ("/{**all}", ["/", "/z/z"]), ("/{*all:nonfile}", ["/z", "/z.js"]),
        ("/a/{x}-{y}", ["/a/1-2", "/a/1-2-3"]), ("/a/{x}-2", ["/a/1-2"]), ("/a/{x:int}-{y}", ["/a/1-2"]), ("a/b", ["/a/b"]), ("~/a/b", ["/a/b"]),
        ("/{x:required}", ["/5"]), ("/{x:datetime}", ["/2026-01-31"]), ("/{a}/{b}/{c}", ["/1/2/3"]), ("/{a:bool}", ["/true"]), ("/{a:decimal}", ["/1.5"]),
        ("/{a:maxlength(3)}", ["/ab"]), ("/{a:file}", ["/x.js"]), ("/%61", ["/a"]), ("/ä", ["/%C3%A4"]), ("/{x/{y}", []), ("/{x}{y}", []), ("/{x}/{x}", []),
        ("/{**r}/x", []), ("/{x:none}", ["/x"]), ("/v{v:apiVersion}", ["/v1"]), ("/{x:min(a)}", ["/5"]), ("/{x:regex([)}", ["/5"]), ("/a//b", []), ("/a?b", []),
        ("", ["/q"]), ("/{organizationId}/x", ["/o-1/x"]), ("/{x:length(5,1)}", ["/abc"]),
        ("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29", []),
    ];

    private static readonly string[] s_hosts =
    [
        "www.example.com", "*.example.com", "a.example.com", "A.example.com", "*", "*:80", "www.example.com:80", "https://www.example.com", "", "a:b",
        "bücher.example", "xn--bcher-kva.example", "a b", "[::1]", "*.*.com", "a..b", "www.example.com:*",
    ];

    private static readonly string[] s_transforms =
        [.. Gateway.Configuration.Rules.Transforms.TransformForm.All.Keys, "Set", "Append", "When", "HeaderPrefix", "Action", "For", "ForFormat"];

    private static readonly string[] s_values =
    [
        "/x", "x", "", "/x/", "/{rest}", "/{**rest}", "/v/{a/{b}", "/{id}/{**all}", "/{none}", "/a?b", "/a b", "Ä", "X-Name", "X Name", "X-Name;X-Other",
        "true", "false", "Set", "Append", "Off", "Always", "Failure", "POST", "CONNECT", "rest", "id", "none", "for,host", "Random", "a\nb", "Content-Length",
        "Host", "X-Gateway-Subject", "{", "%zz", "Connection", "Cookie",
    ];

    private static readonly string[] s_addresses =
    [
        "http://localhost:5001/ ", "http://localhost:5001/?x", "localhost:5001", "", "http://localhost:5001/#a", "http://u:p@localhost/", "http://{host}/",
        "ftp://x/", "http://localhost:5001/a/../b",
    ];

    private static readonly (string Key, string[] Json)[] s_clusterKeys =
    [
        ("LoadBalancingPolicy", ["\"RoundRobin\"", "\"PowerOfTwoChoices\"", "\"FirstAlphabetical\"", "\"None\"", "\"\""]),
        ("HealthCheck",
        [
            """{ "Active": { "Enabled": true, "Path": "/status/200" } }""",
            """{ "Active": { "Enabled": true, "Path": "health" } }""",
            """{ "Active": { "Enabled": true, "Query": "x" } }""",
            """{ "Passive": { "Enabled": true, "Policy": "x" } }""",
            """{ "AvailableDestinationsPolicy": "x" }""",
            """{ "Active": { "Enabled": true, "Interval": "00:00:00" } }""",
        ]),
        ("HttpClient",
        [
            """{ "SslProtocols": ["Tls12"] }""",
            """{ "SslProtocols": ["TLS1.2"] }""",
            """{ "MaxConnectionsPerServer": 5 }""",
            """{ "MaxConnectionsPerServer": -1 }""",
            """{ "RequestHeaderEncoding": "x" }""",
            """{ "RequestHeaderEncoding": "latin1" }""",
            """{ "WebProxy": { "Address": ":" } }""",
        ]),
        ("HttpRequest",
        [
            """{ "Version": "1.1" }""", """{ "Version": "x" }""", """{ "Version": "9" }""",
            """{ "ActivityTimeout": "00:00:00" }""", """{ "ActivityTimeout": "00:00:20" }""",
        ]),
        ("SessionAffinity",
        [
            """{ "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "k" }""",
            """{ "Enabled": true, "Policy": "HashCookie" }""",
            """{ "Enabled": true, "Policy": "x", "AffinityKeyName": "k" }""",
            """{ "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "k k" }""",
        ]),
        ("Metadata", ["""{ "a": "b" }"""]),
    ];

    private readonly Random _random;

    /// <param name="random">The chance.</param>
    /// <param name="destination">Where good destinations are.</param>
    /// <param name="breaks">How likely a piece is broken, of a hundred.</param>
    public GeneratedSection(Random random, string destination, int breaks)
    {
        _random = random;
        var (routes, clusters) = (new JsonObject(), new JsonObject());
        for (var cluster = 0; cluster < 2; cluster++) clusters[$"c{cluster}"] = Cluster(destination, breaks);
        for (var route = random.Next(1, 5); route > 0; route--) routes[$"r{route}"] = Route(breaks);
        Json = new() { ["Routes"] = routes, ["Clusters"] = clusters };
    }

    /// <summary>The section.</summary>
    public JsonObject Json { get; }

    /// <summary>Requests that its routes may take.</summary>
    public List<(string Method, string Target, string? Host, string? Header)> Requests { get; } = [];

    private JsonObject Cluster(string destination, int breaks)
    {
        var cluster = new JsonObject
        {
            ["Destinations"] = new JsonObject
            {
                ["a"] = new JsonObject { ["Address"] = Chance(breaks) ? Any(s_addresses) : destination + Any(["", "/", "/base", "/base/"]) },
            },
        };
        if (Chance(25)) Weigh(cluster, destination, breaks);
        if (Chance(30)) Put(cluster, s_clusterKeys);
        return cluster;
    }

    private void Weigh(JsonObject cluster, string destination, int breaks)
    {
        if (!Chance(breaks)) cluster["LoadBalancingPolicy"] = Any(["Weighted", "WeightedSticky", "weighted"]);
        if (Chance(30))
            cluster["Metadata"] = new JsonObject { ["SlowStart"] = Any<string>(Chance(breaks) ? ["x", "-00:00:01", "02:00:00"] : ["00:00:00", "00:01:00"]) };
        var destinations = cluster["Destinations"]!.AsObject();
        for (var more = _random.Next(0, 3); more > 0; more--) destinations[$"b{more}"] = new JsonObject { ["Address"] = destination };
        var isFirst = true;
        foreach (var (_, each) in destinations)
        {
            // The others may have a weight of 0.
            var weight = Chance(breaks) ? Any(["-1", "x", "1.5", "", "1000001", "0"]) : isFirst ? Any(["1", "99", "1000000"]) : Any(["0", "1", "50"]);
            if (!Chance(breaks)) each!["Metadata"] = new JsonObject { ["Weight"] = weight };
            isFirst = false;
        }
    }

    private void Put(JsonObject section, (string Key, string[] Json)[] keys)
    {
        var (key, values) = Any(keys);
        section[key] = JsonNode.Parse(Any(values));
    }

    private JsonObject Route(int breaks)
    {
        var (path, requests) = Any(s_paths);
        var match = new JsonObject { ["Path"] = path };
        var (method, host, header) = ("GET", (string?)null, (string?)null);
        if (Chance(20))
        {
            method = Any(["GET", "POST", "PUT"]);
            match["Methods"] = new JsonArray([method, .. Chance(breaks) ? [(JsonNode)Any(["BREW", "GET", "get", ""])] : Array.Empty<JsonNode>()]);
        }

        if (Chance(20))
        {
            host = Any(s_hosts);
            match["Hosts"] = new JsonArray(host);
            host = host.Replace("*.", "b.", StringComparison.Ordinal) is var named
                && named.All(char.IsAscii)
                && Uri.CheckHostName(named) == UriHostNameType.Dns
                ? named
                : null;
        }

        if (Chance(15))
        {
            header = Any(["1", "2"]);
            match["Headers"] = new JsonArray(new JsonObject
            {
                ["Name"] = Any(["X-V", "x-v", "X W"]),
                ["Values"] = new JsonArray(header),
                ["Mode"] = Any(["ExactHeader", "Contains", "NotContains", "HeaderPrefix", "Exists"]),
            });
        }

        if (Chance(10)) match["QueryParameters"] = new JsonArray(new JsonObject
        {
            ["Name"] = "q",
            ["Values"] = new JsonArray(Any(["1", "2"])),
            ["Mode"] = Any(["Exact", "Prefix", "Contains", "Exists"]),
        });
        var route = new JsonObject { ["ClusterId"] = Any(["c0", "c0", "c1", Chance(breaks) ? "c2" : "c1"]), ["Match"] = match };
        if (path.Contains("organizationId", StringComparison.Ordinal)) route["AuthorizationPolicy"] = "OrganizationMember";
        if (Chance(15)) route["Order"] = Any([0, 1, -1]);
        if (Chance(30)) route["Transforms"] = new JsonArray([.. Enumerable.Range(0, _random.Next(1, 3)).Select(_ => Transform(breaks))]);
        if (Chance(breaks))
            route[Any(["AuthorizationPolicy", "RateLimiterPolicy", "CorsPolicy", "Timeout", "TimeoutPolicy", "MaxRequestBodySize"])] =
                Any(["x", "Default", "Anonymous", "00:00:10", "5"]);
        if (Chance(breaks)) route["Metadata"] = new JsonObject
        {
            [Any(["IpAllow", "Retries", "Module", "x", "ForwardCookies"])] = Any(["1", "true", "127.0.0.1", "IotCredentials"]),
        };
        foreach (var request in requests) Requests.Add((method, request + Any(["", "", "?q=1", "?q=2"]), host, header));
        return route;
    }

    private JsonObject Transform(int breaks)
    {
        if (!Chance(breaks))
            return JsonNode.Parse(Any([
                """{ "PathPrefix": "/p" }""", """{ "PathRemovePrefix": "/a" }""", """{ "PathSet": "/s" }""", """{ "RequestHeader": "X-N", "Set": "v" }""",
                """{ "ResponseHeader": "X-N", "Append": "v", "When": "Always" }""", """{ "QueryValueParameter": "a", "Append": "b c" }""",
                """{ "RequestHeadersCopy": false }""", """{ "X-Forwarded": "Remove" }""", """{ "Forwarded": "for,host", "ForFormat": "Random" }""",
                """{ "HttpMethodChange": "GET", "Set": "PUT" }""", """{ "RequestHeaderOriginalHost": true }""", """{ "ResponseTrailer": "X-T", "Set": "v" }""",
                """{ "ClientCert": "X-C" }""", """{ "ResponseHeadersAllowed": "X-N;Content-Type" }""", """{ "PathPattern": "/p/{**all}" }""",
                """{ "PathPattern": "/p" }""",
            ]))!.AsObject();
        var transform = new JsonObject();
        for (var keys = _random.Next(1, 4); keys > 0; keys--) transform[Any(s_transforms)] = Any(s_values);
        return transform;
    }

    private bool Chance(int ofHundred) => _random.Next(100) < ofHundred;

    private T Any<T>(T[] choices) => choices[_random.Next(choices.Length)];

    /// <summary>The section as a person reads it, in one line.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Json.ToJsonString()}");
}
