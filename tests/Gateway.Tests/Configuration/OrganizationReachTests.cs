using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>Which configurations let a caller reach an organization's path at a service without a check of membership.</summary>
public sealed class OrganizationReachTests : IDisposable
{
    private const string Member = "'AuthorizationPolicy': 'OrganizationMember'";
    private const string Cluster = "'ClusterId': 'organizations'";
    private const string Host = "'Hosts': ['api.example.com']";
    private const string Writers = $"'writers': {{ {Cluster}, {Member}, "
        + "'Match': { 'Path': '/organizations/{organizationId}/{**rest}', 'Methods': ['POST', 'PUT', 'PATCH', 'DELETE'] } }, ";
    private const string Version = "'Headers': [{ 'Name': 'X-Version', 'Values': ['2'] }]";
    private readonly ConfigurationFixture _configuration = new();

    public OrganizationReachTests() => _configuration
        .Set("IotCredentials:OrganizationId", """{ "Prefix": "o-", "Characters": "A-Za-z0-9" }""")
        .Set("ReverseProxy:Clusters:docs", """{ "Destinations": { "a": { "Address": "http://docs.internal/" } } }""")
        .Set("ReverseProxy:Clusters:alias", """{ "Destinations": { "a": { "Address": "http://127.0.0.1:5001/" } } }""")
        .Set("ReverseProxy:Clusters:machine", $$"""{ "Destinations": { "a": { "Address": "http://{{Environment.MachineName}}:5001/" } } }""")
        .Set("ReverseProxy:Clusters:mapped", """{ "Destinations": { "a": { "Address": "http://[::ffff:127.0.0.2]:5001/" } } }""")
        .Set("ReverseProxy:Clusters:dotted", """{ "Destinations": { "a": { "Address": "http://localhost.:5001/" } } }""")
        .Set("ReverseProxy:Clusters:sub", """{ "Destinations": { "a": { "Address": "http://things.localhost:5001/" } } }""")
        .Set("ReverseProxy:Clusters:number", """{ "Destinations": { "a": { "Address": "http://2130706433:5001/" } } }""")
        .Set("ReverseProxy:Clusters:https", """{ "Destinations": { "a": { "Address": "https://localhost/" } } }""")
        .Set("ReverseProxy:Clusters:http", """{ "Destinations": { "a": { "Address": "http://localhost/" } } }""")
        .Set("ReverseProxy:Clusters:below", """{ "Destinations": { "a": { "Address": "http://localhost:5001/organizations/" } } }""");

    public static TheoryData<string, string, string> Open => new()
    {
        { "S4 another parameter name", "x", Route("/organizations/{orgId}/things") },
        { "S4 another parameter name, in other letters", "x", Route("/ORGANIZATIONS/{orgId}/things") },
        { "S4 a constraint", "x", Route("/organizations/{orgId:length(3,9)}/{**rest}") },
        { "S4 a complex segment", "x", Route("/organizations/o-{number}/things") },
        { "S4 an optional parameter", "x", Route("/organizations/{orgId?}", "'Order': -1") },
        { "S4 a default", "x", Route("/latest/{orgId=o-2}", Transform("PathPattern", "/organizations/{orgId}")) },
        { "S4 an organization that is written out", "x", Route("/organizations/o-acme/things") },
        { "S4 a catch-all by its order", "x", Route("/organizations/{**rest}", "'Order': -1", match: "'Methods': ['GET']") },
        { "S4 a catch-all of everything by its order", "x", Route("/{**rest}", "'Order': -1", match: "'Methods': ['GET']") },
        { "S4 no path at all by its order", "x", $"'x': {{ {Cluster}, 'Order': -1, 'Match': {{ 'Hosts': ['api.example.com'] }} }}" },
        { "S4 a guarded route limited by methods", "x", Guarded("'Methods': ['GET']") + Route("/{**rest}") },
        { "S4 the same path for the other methods", "x", Guarded("'Methods': ['GET']") + Route("/organizations/{orgId}/{**rest}") },
        { "S4 a guarded route limited by hosts", "x", Guarded("'Hosts': ['api.example.com']") + Route("/organizations/{**rest}") },
        { "S4 a guarded route limited by headers", "x", Guarded(Version) + Route("/organizations/{**rest}") },
        { "S4 a guarded route limited by query", "x", Guarded("'QueryParameters': [{ 'Name': 'v', 'Mode': 'Exists' }]") + Route("/organizations/{**rest}") },
        { "S4 a guarded route with a constraint", "x", Guarded("", "/organizations/{organizationId:length(3)}/{**rest}") + Route("/organizations/{**rest}") },
        { "S4 below a guarded route of one path", "x", Guarded("", "/organizations/{organizationId}/devices") + Route("/organizations/{**rest}") },
        { "S4 PathPattern makes a guarded path", "x", Route("/things/{id}/{**rest}", Transform("PathPattern", "/organizations/{id}/{**rest}")) },
        { "S4 PathPattern of one catch-all", "x", Route("/raw/{**path}", Transform("PathPattern", "/{**path}")) },
        { "S4 PathPattern with a catch-all in one segment", "x", Route("/raw/{**path}", Transform("PathPattern", "/organizations/{path}/things")) },
        { "S4 PathSet", "x", Route("/first", Transform("PathSet", "/organizations/o-1/things")) },
        { "S4 a constraint that the segment meets", "x", Route("/{kind:length(13)}/{id}/things", "'Order': -1") },
        { "S4 an expression that the segment meets", "x", Route("/{kind:regex(^(organizations|users)$)}/{id}/things", "'Order': -1") },
        { "S4 an expression that tells cases apart", "x", Route("/{kind:regex(^(?-i)Organizations$)}/{id}/things", "'Order': -1") },
        { "S4 an expression that an id meets", "x", Route("/organizations/{id:regex(^o-[[a-f]]+$)}/things") },
        { "S4 an expression of which it is not known", "x", Route("/organizations/{id:regex(^o-(qzj){{7}}$)}/things") },
        { "S4 two constraints that an id meets", "x", Route("/organizations/{id:minlength(20):maxlength(22)}/things") },
        { "S4 an optional parameter with a constraint", "x", Route("/organizations/{id:length(3)?}", "'Order': -1") },
        { "S4 a prefix removed behind a constraint", "x", Route("/{v:length(2)}/{**rest}", Transform("PathPattern", "/{**rest}")) },
        { "S4 this machine by its name", "x", Route("/organizations/{orgId}/things", cluster: "machine") },
        { "S4 an address of IPv4 written as one of IPv6", "x", Route("/organizations/{orgId}/things", cluster: "mapped") },
        { "S4 localhost with a dot", "x", Route("/organizations/{orgId}/things", cluster: "dotted") },
        { "S4 a name below localhost", "x", Route("/organizations/{orgId}/things", cluster: "sub") },
        { "S4 an address as one number", "x", Route("/organizations/{orgId}/things", cluster: "number") },
        { "S4 PathPrefix", "x", Route("/{id:minlength(3)}/things", Transform("PathPrefix", "/organizations")) },
        { "S4 PathPrefix that ends in a slash", "x", Route("/o-{id}/things", Transform("PathPrefix", "/Organizations/")) },
        { "S4 PathRemovePrefix", "x", Route("/public/{**rest}", Transform("PathRemovePrefix", "/public")) },
        { "S4 PathRemovePrefix twice", "x", Route("/a/b/{**rest}", "'Transforms': [{ 'PathRemovePrefix': '/a' }, { 'PathRemovePrefix': '/b' }]") },
        { "S4 PathRemovePrefix of what a client writes", "x", Route("/{**rest}", Transform("PathRemovePrefix", "/v1")) },
        { "S4 another cluster with the same address", "x", Route("/organizations/{orgId}/things", cluster: "alias") },
        {
            "S4 a server by http that the guarded route reaches by https", "x",
            Guarded("", more: "'ClusterId': 'https'") + Route("/raw/{**path}", Transform("PathPattern", "/{**path}"), "http")
        },
        {
            "S4 a server by https that the guarded route reaches by http", "x",
            Guarded("", more: "'ClusterId': 'http'") + Route("/raw/{**path}", Transform("PathPattern", "/{**path}"), "https")
        },
        { "S4 a destination's own path", "x", Route("/{id}/things", cluster: "below") },
        { "S4 anyone", "x", Route("/organizations/{orgId}/things", "'AuthorizationPolicy': 'Anonymous'") },
        { "S4 a policy without membership", "x", Route("/organizations/{orgId}/things", "'AuthorizationPolicy': 'Staff'") },
        { "S4 another service below an organization", "x", Route("/organizations/{orgId}/billing", cluster: "docs") },
        {
            "S4 another parameter in the organization's place", "x",
            Route("/partners/{organizationId}/{other}", $"{Member}, {Transform("PathPattern", "/organizations/{other}")}")
        },
        { "S4 the rest in the organization's place", "x", Route("/partners/{organizationId}/{**rest}", $"{Member}, {Transform("PathPattern", "/{**rest}")}") },
        {
            "S4 a guarded route that does not send the organization", "x",
            Guarded("", "/tenants/{organizationId}/report", Transform("PathSet", "/report")) + Route("/report")
        },
        {
            "S4 a guarded route that removes a prefix", "x",
            Guarded("", "/api/{organizationId}/{**rest}", Transform("PathRemovePrefix", "/api")) + Route("/{id}/things")
        },
        {
            "S4 a guarded route with a complex segment", "x",
            Guarded("", "/x-{organizationId}/{**rest}", Transform("PathPattern", "/organizations/{organizationId}/{**rest}"))
                + Route("/{a}/{b}", Transform("PathPattern", "/organizations/{a}/{b}"))
        },
        {
            "S4 a transform with a complex segment", "x",
            Guarded("", "/organizations/{organizationId}/things", Transform("PathPattern", "/x-{organizationId}/things")) + Route("/x-{a}/more")
        },
        { "S4 a policy emptied by a later layer", "organizations", "'organizations': { 'AuthorizationPolicy': null }" },
    };

    public static TheoryData<string, string> Closed => new()
    {
        { "a catch-all behind the guarded route", Route("/{**rest}") },
        { "a catch-all behind the guarded route, of its host", Guarded(Host) + Route("/organizations/{**rest}", match: Host) },
        { "a catch-all behind the guarded route, with its header", Guarded(Version) + Route("/organizations/{**rest}", match: Version) },
        { "a catch-all of a method that the guarded route takes", Guarded("'Methods': ['GET', 'POST']") + Route("/{**rest}", match: "'Methods': ['post']") },
        { "a catch-all behind guarded routes for every method", Guarded("'Methods': ['GET', 'HEAD', 'OPTIONS']") + Writers + Route("/{**rest}") },
        { "a constraint that the segment does not meet", Route("/{lang:length(2)}/{id}/{**rest}", "'Order': -1") },
        { "an expression that the segment does not meet", Route("/{lang:regex(^(en|de)$)}/{id}/{**rest}", "'Order': -1") },
        { "a number in the place of an id", Route("/organizations/{id:int}/things") },
        { "a number of some size in the place of an id", Route("/organizations/{id:range(1,100)}") },
        { "a GUID in the place of an id", Route("/organizations/{id:guid}/things") },
        { "words in the place of an id", Route("/organizations/{page:regex(^(search|help)$)}/things") },
        { "a length that no id has", Route("/organizations/{code:length(2)}/things") },
        { "letters in the place of an id", Route("/{id:alpha}/things", Transform("PathPrefix", "/organizations")) },
        { "a number in the place where a guarded route binds", Route("/organizations/{id:int}/billing", cluster: "docs") },
        { "another cluster", Route("/docs/{**rest}", cluster: "docs") },
        { "everything else at another cluster", Route("/{**rest}", cluster: "docs") },
        { "another prefix", Route("/catalog/{**rest}") },
        { "another prefix that begins alike", Route("/organizations-catalog/{id}/{**rest}") },
        { "the list of organizations", Route("/organizations") },
        { "a name that is no id", Route("/organizations/search") },
        { "a complex segment that is no id", Route("/organizations/by-{name}") },
        {
            "a guarded route by another name",
            Route("/v2/{organizationId}/{**rest}", $"{Member}, {Transform("PathPattern", "/organizations/{organizationId}/{**rest}")}")
        },
        { "AnyOrganization", Route("/organizations/{orgId}/logo", "'Metadata': { 'AnyOrganization': 'true' }") },
        {
            "AnyOrganization behind a transform",
            Route(
                "/partners/{organizationId}/{other}",
                $"{Member}, 'Metadata': {{ 'AnyOrganization': 'true' }}, {Transform("PathPattern", "/organizations/{other}")}")
        },
        { "a prefix that leads elsewhere", Route("/things/{id}", Transform("PathPrefix", "/organizations")) },
        { "a set path elsewhere", Route("/first/{id}", Transform("PathSet", "/first")) },
        {
            "another path at the same server",
            Guarded("", "/organizations/{organizationId}/{**rest}", Transform("PathPrefix", "/api")) + Route("/public/{**rest}")
        },
    };

    [Theory]
    [MemberData(nameof(Open))]
    public void S4_an_open_way_to_an_organizations_path_is_an_error(string kind, string route, string routes)
    {
        var findings = Load(routes).Where(finding => finding.Severity == Severity.Error).ToArray();

        var finding = Assert.Single(findings);
        Assert.StartsWith($"ReverseProxy:Routes:{route}:", finding.Key, StringComparison.Ordinal);
        Assert.Contains("AnyOrganization", finding.Message, StringComparison.Ordinal);
        if (route == "organizations") return;
        Assert.Matches("(reach|send).*(GET|POST|DELETE|PUT|HEAD) /.*the route \"(organizations|iot-endpoint-and-credentials)\"", finding.Message);
        TestContext.Current.TestOutputHelper!.WriteLine($"{kind}: {finding}");
    }

    [Theory]
    [MemberData(nameof(Closed))]
    public void S4_a_table_that_checks_membership_is_clean(string kind, string routes) =>
        Assert.True(Load(routes).Count == 0, $"{kind}: {string.Join("\n", Load(routes))}");

    [Theory]
    [InlineData("""{ "OrganizationMember": { "RequireOrganization": false, "Roles": ["a"] } }""")]
    [InlineData("""{ "OrganizationMember": { "RequireOrganization": null, "Scopes": ["a"] } }""")]
    [InlineData("""{ "OrganizationMember": null }""")]
    public void S4_a_policy_that_a_later_layer_empties_is_an_error(string policies)
    {
        _configuration.Write("appsettings.Production.json", $$"""{ "Authorization": { "Policies": {{policies}} } }""");

        Assert.Contains(
            _configuration.Load().Findings, finding => finding is { Severity: Severity.Error, Key: "ReverseProxy:Routes:organizations:AuthorizationPolicy" });
    }

    [Fact]
    public void S4_a_service_by_its_name_is_the_address_behind_it()
    {
        _configuration
            .Set("Services:devices", """{ "Http": ["localhost:5001"] }""")
            .Set("ReverseProxy:Clusters:named", """{ "Destinations": { "a": { "Address": "http://devices/" } } }""");

        Assert.Contains(
            "localhost:5001", Assert.Single(Load(Route("/raw/{**path}", Transform("PathPattern", "/{**path}"), "named"))).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _configuration.Dispose();

    private IReadOnlyList<Finding> Load(string routes)
    {
        _configuration.Set("Authorization:Policies:Staff", """{ "Roles": ["staff"] }""");
        _configuration.Write("appsettings.Production.json", $$"""{ "ReverseProxy": { "Routes": { {{routes.Replace('\'', '"')}} } } }""");
        return [.. _configuration.Load().Findings.Where(finding => !finding.Message.StartsWith("is Anonymous", StringComparison.Ordinal))];
    }

    private static string Guarded(string match, string path = "/organizations/{organizationId}/{**rest}", string more = "") =>
        $$"""'organizations': { 'Match': { 'Path': '{{path}}'{{And(match)}} }{{And(more)}} }, """;

    private static string Route(string path, string more = "", string cluster = "organizations", string match = "") =>
        $$"""'x': { 'ClusterId': '{{cluster}}', 'Match': { 'Path': '{{path}}'{{And(match)}} }{{And(more)}} }""";

    private static string And(string more) => more.Length == 0 ? "" : ", " + more;

    private static string Transform(string name, string value) => $$"""'Transforms': [{ '{{name}}': '{{value}}' }]""";
}
