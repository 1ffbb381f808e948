using System.Diagnostics;
using System.Text.Json.Nodes;
using Gateway.Configuration.Loading;
using Xunit;

namespace Gateway.Tests.Configuration;

/// <summary>A platform of the largest kind.</summary>
[Collection(LoadTests.Name)]
public sealed class ManyRoutesTests(ITestOutputHelper output) : IDisposable
{
    private const int Count = 10_000;
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Fact]
    public void A_typo_in_one_of_many_routes_is_found()
    {
        Write(routes => routes["r7777"]!["AuthorizationPolicy"] = "p77777");

        var finding = Assert.Single(Load().Findings);

        Assert.Equal("ReverseProxy:Routes:r7777:AuthorizationPolicy", finding.Key);
        Assert.Contains("Did you mean \"p7777\"?", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mistake_in_each_of_many_routes_is_found()
    {
        Write(routes =>
        {
            foreach (var (_, route) in routes) route!["Timeout"] = "-00:00:01";
        });

        Assert.Equal(Count, Load().Findings.Count);
    }

    [Fact]
    public void Names_that_all_dangle_are_found()
    {
        Write(routes =>
        {
            foreach (var (_, route) in routes) route!["AuthorizationPolicy"] = "x" + route["AuthorizationPolicy"]!.GetValue<string>();
        });

        Assert.Equal(Count, Load().Findings.Count);
    }

    private LoadResult Load()
    {
        var watch = Stopwatch.StartNew();
        var result = _configuration.Load();
        output.WriteLine($"{Count} routes, {result.Findings.Count} findings: {watch.Elapsed}");
        return result;
    }

    private void Write(Action<JsonObject> change)
    {
        var (policies, routes, clusters) = (new JsonObject(), new JsonObject(), new JsonObject());
        for (var index = 0; index < Count; index++)
        {
            policies[$"p{index}"] = new JsonObject { ["RequireOrganization"] = true };
            clusters[$"c{index}"] = JsonNode.Parse($$"""{ "Destinations": { "a": { "Address": "http://localhost:5001/{{index}}" } } }""");
            routes[$"r{index}"] = new JsonObject
            {
                // The rule on routes behind others has to look at all of them.
                ["Order"] = index % 2,
                ["ClusterId"] = $"c{index}",
                ["AuthorizationPolicy"] = $"p{index}",
                ["Match"] = new JsonObject { ["Path"] = $"/organizations/{{organizationId}}/p{index}/{{**rest}}" },
            };
        }

        change(routes);
        _configuration
            .Set("IotCredentials", null)
            .Set("Authorization:Policies", policies.ToJsonString())
            .Set("ReverseProxy:Routes", routes.ToJsonString())
            .Set("ReverseProxy:Clusters", clusters.ToJsonString());
    }
}
