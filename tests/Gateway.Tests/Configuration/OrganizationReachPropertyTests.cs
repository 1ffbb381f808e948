using Gateway.Configuration.Snapshots;
using Gateway.Configuration.Tree;
using Gateway.Routes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.Configuration;

/// <summary>Random route tables against the real router and the real transforms.</summary>
public sealed class OrganizationReachPropertyTests(ITestOutputHelper output) : IDisposable
{
    private const int Tables = 120;
    private const string Own = "o-1";
    private const string Other = "o-2";

    private static readonly string[] s_guardedPaths =
    [
        "/organizations/{organizationId}/{**rest}", "/organizations/{organizationId}", "/organizations/{organizationId}/devices",
        "/organizations/{organizationId}/{id?}", "/api/organizations/{organizationId}/{**rest}", "/{organizationId}/devices", "/x-{organizationId}/{**rest}",
        "/organizations/{organizationId:length(3)}/{**rest}",
    ];

    private static readonly string[] s_openPaths =
    [
        "/{**rest}", "/organizations/{**rest}", "/organizations/{orgId}/{**rest}", "/organizations/{orgId}/devices", "/{a}/{b}", "/{a}/{b}/{**rest}",
        "/api/{**rest}", "/api/{a}/{b?}", "/docs/{**rest}", "/docs/{a=o-2}", "/organizations", "/organizations/o-2", "/organizations/x{a}",
        "/devices/{a:length(3)}/{**rest}", "/{a}-{b}/{**rest}", "/docs/{a?}", "/{a:length(13)}/{b}/{**rest}", "/{a:length(2)}/{b}/{**rest}",
        "/organizations/{a:int}/{**rest}", "/organizations/{a:regex(^o-[[0-9]]$)}/{**rest}", "/{a:alpha}/{b:minlength(3)}", "/partners/{organizationId}/{a}",
        "/partners/{organizationId}/{**rest}",
    ];

    private static readonly string[][] s_transforms =
    [
        [], [], [], [], ["PathRemovePrefix", "/api"], ["PathRemovePrefix", "/organizations"], ["PathRemovePrefix", "/docs"], ["PathPrefix", "/api"],
        ["PathPrefix", "/organizations"], ["PathSet", "/organizations/o-2"], ["PathSet", "/devices"],
        ["PathPattern", "/{**rest}"], ["PathPattern", "/organizations/{a}"], ["PathPattern", "/organizations/{a}/{**rest}"],
        ["PathPattern", "/organizations/{organizationId}/{a?}"], ["PathPattern", "/organizations/{rest}"], ["PathPattern", "/x-{a}/{**rest}"],
        ["PathPrefix", "/docs", "PathRemovePrefix", "/docs/organizations"],
    ];

    private static readonly string[] s_addresses = ["http://a:1/", "http://a:1/organizations/", "http://a:1/api", "http://b:1/"];
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Fact]
    public async Task S4_where_nothing_is_found_no_request_reaches_another_organizations_path()
    {
        _configuration
            .Set("IotCredentials:OrganizationId", """{ "Prefix": "o-", "Characters": "A-Za-z0-9" }""")
            .Set("Edge:Methods", """["GET", "POST"]""")
            .Set("ReverseProxy:Routes:organizations", null);
        for (var index = 0; index < s_addresses.Length; index++)
            _configuration.Set($"ReverseProxy:Clusters:c{index}", $$"""{ "Destinations": { "a": { "Address": "{{s_addresses[index]}}" } } }""");
        var random = new Random(4);
        var (accepted, refused, reallyOpen) = (0, 0, 0);
        for (var table = 0; table < Tables; table++)
        {
            var routes = string.Join(",\n", Enumerable.Range(0, random.Next(2, 5)).Select(index => Route(random, index)));
            _configuration.Write("appsettings.Production.json", $$"""{ "ReverseProxy": { "Routes": { {{routes}} } } }""");
            var (snapshot, findings) = Load();
            // Other mistakes say nothing of this.
            if (findings.Any(finding => !finding.Message.Contains("organization's path", StringComparison.Ordinal)
                && !finding.Message.Contains("another one's path", StringComparison.Ordinal)))
                continue;
            var violation = await FindAsync(snapshot);
            if (findings.Count > 0)
            {
                refused++;
                if (violation is not null) reallyOpen++;
            }
            else
            {
                accepted++;
                Assert.True(violation is null, $"{violation}\n{routes}");
            }
        }

        output.WriteLine($"{accepted} accepted, {refused} refused, of which the probes got through {reallyOpen}");
        Assert.True(accepted >= Tables / 10 && refused >= Tables / 10, $"{accepted} accepted, {refused} refused");
    }

    // Routes and clusters are there even where something was found.
    private (ReverseProxyTable Table, IReadOnlyList<Finding> Findings) Load()
    {
        var result = _configuration.Load();
        var findings = result.Findings.Where(finding => finding.Severity == Severity.Error).ToArray();
        var allowed = result.Snapshot ?? Permissive();
        return (new(allowed.Routes, allowed.Clusters), findings);

        Snapshot Permissive()
        {
            var text = File.ReadAllText(Path.Combine(_configuration.Folder, "appsettings.Production.json"));
            _configuration.Write(
                "appsettings.Permissive.json",
                text.Replace("\"ClusterId\"", "\"Metadata\": { \"AnyOrganization\": \"true\" }, \"ClusterId\"", StringComparison.Ordinal));
            return _configuration.Load("Permissive").Snapshot ?? new Snapshot
            {
                Options = new(),
                ApiKeys = new ObjectNode("", false),
                Routes = [],
                Clusters = [],
                Values = new Dictionary<string, string?>(),
                Sources = new Dictionary<string, string>(),
                Input = result.Input!,
                Profiles = null,
                Files = new Dictionary<string, ReadOnlyMemory<byte>>(),
            };
        }
    }

    private static string Route(Random random, int index)
    {
        var isGuarded = index == 0 || random.Next(4) == 0;
        var path = Pick(random, isGuarded ? s_guardedPaths : s_openPaths);
        var policy = path.Contains("{organizationId", StringComparison.Ordinal) ? "'AuthorizationPolicy': 'OrganizationMember', " : "";
        var methods = random.Next(4) == 0 ? $", 'Methods': ['{Pick(random, ["GET", "POST"])}']" : "";
        var order = random.Next(4) == 0 ? $"'Order': {random.Next(-1, 2)}, " : "";
        var transform = Pick(random, s_transforms);
        // A pattern with a parameter that the path does not bind is another mistake.
        while (transform is ["PathPattern", var pattern]
            && !pattern.Split('{', '}').Where((_, at) => at % 2 == 1).All(name => path.Contains(name.Trim('*', '?'), StringComparison.Ordinal)))
            transform = Pick(random, s_transforms);
        var list = string.Join(", ", transform.Chunk(2).Select(pair => $$"""{ "{{pair[0]}}": "{{pair[1]}}" }"""));
        return ($$"""'r{{index}}': { {{policy}}{{order}}'ClusterId': 'c{{random.Next(s_addresses.Length)}}', 'Match': { 'Path': '{{path}}'{{methods}} },"""
            + $$""" 'Transforms': [{{list}}] }""").Replace('\'', '"');
    }

    private static T Pick<T>(Random random, T[] choices) => choices[random.Next(choices.Length)];

    /// <summary>A request of a member of o-1 that arrives below a path at which members of o-2 arrive through a guarded route.</summary>
    private static async Task<string?> FindAsync(ReverseProxyTable table)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRouting();
        builder.Services.AddReverseProxy().LoadFromMemory(
            [.. table.Routes.Where(route => route.ClusterId is not null).Select(route => route with { AuthorizationPolicy = null, RateLimiterPolicy = null })],
            table.Clusters);
        await using var app = builder.Build();
        app.MapReverseProxy();
        var endpoints = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).ToArray();
        var router = new Router(app.Services, endpoints);
        var destinations = table.Clusters.ToDictionary(
            cluster => cluster.ClusterId, cluster => cluster.Destinations!.Values.Select(destination => destination.Address).ToArray());
        var guarded = table.Routes.Where(route => route.AuthorizationPolicy is not null).Select(route => route.RouteId).ToHashSet();
        var (forOther, arrived) = (new List<(string Request, string Sent, string Route)>(), new List<(string Request, string Sent, bool IsGuarded)>());
        foreach (var path in Probes())
            foreach (var method in (string[])["GET", "POST"])
            {
                var context = new DefaultHttpContext { RequestServices = app.Services };
                (context.Request.Method, context.Request.Path, context.Request.Host) = (method, path, new HostString("gateway"));
                if (await FindAsync(router, context) is not RouteEndpoint endpoint || endpoint.Metadata.GetMetadata<RouteModel>() is not { } route) continue;
                var (isGuarded, organization) =
                    (guarded.Contains(route.Config.RouteId), context.Request.RouteValues.GetValueOrDefault("organizationId") as string);
                foreach (var address in destinations[route.Config.ClusterId!])
                {
                    using var request = new HttpRequestMessage();
                    await route.Transformer.TransformRequestAsync(context, request, address, default);
                    var sent = $"{request.RequestUri!.Authority}{request.RequestUri.AbsolutePath.TrimEnd('/')}";
                    if (!isGuarded || organization == Own) arrived.Add(($"{method} {path}", sent, isGuarded));
                    else if (organization == Other && path.Split(Other).Length == 2) forOther.Add(($"{method} {path}", sent, route.Config.RouteId));
                }
            }

        // What is sent for members of any organization alike is kept as it is.
        var known = arrived.Select(request => (request.Request, request.Sent)).ToHashSet();
        var (alike, kept) =
            (new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase), new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase));
        foreach (var (request, sent, route) in forOther)
            if (known.Contains((request.Replace(Other, Own, StringComparison.Ordinal), sent))) alike[sent] = route;
            else kept[UpToOrganization(sent)] = route;

        foreach (var (request, sent, isGuarded) in arrived)
        {
            if (!isGuarded && alike.TryGetValue(sent, out var route)) return $"{request} arrives at {sent}, which {route} keeps for members";
            for (var end = sent.Length; end > 0; end = sent.LastIndexOf('/', end - 1))
                if (kept.TryGetValue(sent[..end], out var by)) return $"{request} arrives at {sent}, which {by} keeps for members of {Other}";
        }

        return null;
    }

    // Two routes that nothing tells apart are answered 500.
    private static async Task<Endpoint?> FindAsync(Router router, HttpContext context)
    {
        try
        {
            return await router.FindAsync(context);
        }
        catch (Exception exception) when (exception.GetType().Name == "AmbiguousMatchException")
        {
            return null;
        }
    }

    // Up to the segment that names the organization, where one does.
    private static string UpToOrganization(string sent)
    {
        var start = sent.IndexOf(Other, StringComparison.OrdinalIgnoreCase);
        if (start < 0) return sent;
        var end = sent.IndexOf('/', start);
        return end < 0 ? sent : sent[..end];
    }

    private static IEnumerable<string> Probes()
    {
        string[] texts = ["organizations", "api", "docs", "devices", "partners", Own, Other, "x-o-1", "x-o-2", "free"];
        foreach (var a in texts)
        {
            yield return $"/{a}";
            foreach (var b in texts)
            {
                yield return $"/{a}/{b}";
                foreach (var c in texts)
                {
                    yield return $"/{a}/{b}/{c}";
                    if (a is not ("docs" or "api" or "partners" or "organizations") || c is "docs" or "partners") continue;
                    foreach (var d in (string[])[Own, Other, "devices", "free"]) yield return $"/{a}/{b}/{c}/{d}";
                }
            }
        }
    }
}
