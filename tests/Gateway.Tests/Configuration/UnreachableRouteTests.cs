using System.Text.Json.Nodes;
using Xunit;

namespace Gateway.Tests.Configuration;

public sealed class UnreachableRouteTests : IDisposable
{
    private const string Routes = "ReverseProxy:Routes";
    private readonly ConfigurationFixture _configuration = new();

    public void Dispose() => _configuration.Dispose();

    [Theory]
    [InlineData("/a/b", "/a/b")]
    [InlineData("/A/{x}", "/a/b")]
    [InlineData("/a/{x}", "/a/{y}")]
    [InlineData("/a/{x}", "/a/{y:int}")]
    [InlineData("/a/{x}", "/a/pre-{y}")]
    [InlineData("/a/{x:int}/c", "/a/{y:int}/c")]
    [InlineData("/a/{x?}", "/a")]
    [InlineData("/a/{x?}", "/a/b")]
    [InlineData("/a/{x?}", "/a/{y=1}")]
    [InlineData("/a/{**rest}", "/a/{x}/{**rest}")]
    [InlineData("/a/{**rest}", "/a")]
    [InlineData("/a/{*rest}", "/a/b/{**rest}")]
    [InlineData("/a/{**rest}", "/a/{**rest:regex(x)}")]
    [InlineData("/a/{*rest:int}", "/a/{*rest:int}")]
    [InlineData("/a/{x:int=7}", "/a/{y:int=7}")]
    [InlineData("/a/{x:int?}", "/a")]
    public void A_route_behind_one_that_takes_all_it_would_is_an_error(string first, string second)
    {
        Route("first", first, -1);
        Route("second", second, null);

        var finding = _configuration.LoadBad();

        Assert.Equal($"{Routes}:second:Match", finding.Key);
        Assert.Contains("\"first\"", finding.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/a/b", "/a/c")]
    [InlineData("/a/b", "/a/{x}")]
    [InlineData("/a/{x:int}", "/a/{x}")]
    [InlineData("/a/{x:int}", "/a/{x:guid}")]
    [InlineData("/a/pre-{x}", "/a/{x}")]
    [InlineData("/a/{x}", "/a")]
    [InlineData("/a/{x}", "/a/{y?}")]
    [InlineData("/a/{x}", "/a/b/c")]
    [InlineData("/a/{x}", "/a/{**rest}")]
    [InlineData("/a/{x}", "/a/{**rest:regex(x)}")]
    [InlineData("/a/{**rest:regex(x)}", "/a/{**rest}")]
    [InlineData("/a/b/{**rest}", "/a/{**rest}")]
    [InlineData("/a/{*rest:int}", "/a")]
    [InlineData("/a/{x:int=latest}", "/a")]
    [InlineData("/a/{x:int=latest}", "/a/{y:int=7}")]
    [InlineData("/a/{x:int=latest}/{**rest}", "/a")]
    public void A_route_that_takes_something_more_is_reached(string first, string second)
    {
        Route("first", first, -1);
        Route("second", second, null);

        _configuration.LoadGood();
    }

    [Fact]
    public void Methods_hosts_headers_and_queries_leave_something_over()
    {
        Route("first", "/a/{**rest}", 1, """{ "Methods": ["GET"] }""");
        Route("second", "/a/b", 2);
        _configuration.LoadGood();

        Route("second", "/a/b", 2, """{ "Methods": ["get"] }""");
        Assert.Equal($"{Routes}:second:Match", _configuration.LoadBad().Key);

        Route("second", "/a/b", 1, """{ "Methods": ["GET"] }""");
        _configuration.LoadGood();

        Route("second", "/a/b", 2, """{ "Hosts": ["a.example", "b.example"] }""");
        Route("first", "/a/{**rest}", 1, """{ "Hosts": ["A.EXAMPLE"] }""");
        _configuration.LoadGood();

        Route("first", "/a/{**rest}", 1, """{ "Hosts": ["A.EXAMPLE", "b.example"] }""");
        Assert.Equal($"{Routes}:second:Match", _configuration.LoadBad().Key);

        Route("first", "/a/{**rest}", 1, """{ "Headers": [{ "Name": "x", "Mode": "Exists" }] }""");
        _configuration.LoadGood();

        Route("first", "/a/{**rest}", 1, """{ "QueryParameters": [{ "Name": "x", "Mode": "Exists" }] }""");
        _configuration.LoadGood();
    }

    [Fact]
    public void A_route_for_a_host_takes_every_path()
    {
        Route("first", null, 1, """{ "Hosts": ["a.example"] }""");
        Route("second", "/a/b", 2, """{ "Hosts": ["a.example"] }""");

        Assert.Equal($"{Routes}:second:Match", _configuration.LoadBad().Key);
    }

    private void Route(string name, string? path, int? order, string match = "{}")
    {
        var route = new JsonObject { ["ClusterId"] = "organizations", ["Match"] = JsonNode.Parse(match) };
        if (path is not null) route["Match"]!["Path"] = path;
        if (order is not null) route["Order"] = order;
        _configuration.Set($"{Routes}:{name}", route.ToJsonString());
    }
}
