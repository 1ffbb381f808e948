using System.Text.Json.Nodes;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>Path and query arrive as the client wrote them; a transform changes its own part alone.</summary>
public sealed class ForwardedTargetTests(ForwardedTargetTests.Routes platform) : IClassFixture<ForwardedTargetTests.Routes>
{
    [Theory]
    [InlineData("C8 plus", "/plain/a%2Bb")]
    [InlineData("C8 equals and ampersand", "/plain/%3D%26")]
    [InlineData("C8 at", "/plain/%40")]
    [InlineData("C8 space", "/plain/%20x")]
    [InlineData("C8 apostrophe", "/plain/it%27s")]
    [InlineData("C8 tilde, which needs no escape", "/plain/%7Euser")]
    [InlineData("C8 letters, which need no escape", "/plain/%61%2D%2E%5F")]
    [InlineData("C8 lower-case escapes", "/plain/%c3%a9%2b")]
    [InlineData("C8 beyond ASCII", "/plain/%E2%82%AC/caf%C3%A9")]
    [InlineData("C8 parentheses and others that may stand as they are", "/plain/(a)!$&'*+,=:@")]
    [InlineData("C8 brackets, pipe and quote as some clients write them", "/plain/a[0]|\"x\"^`{}")]
    [InlineData("C8 an escaped comma beside a plain one", "/plain/a%2Cb,c")]
    [InlineData("C8 a trailing slash", "/plain/a%2Bb/")]
    [InlineData("C8 query", "/plain/x?q=%2Fx&r=a+b&s=%7E&t=%c3%a9&u")]
    [InlineData("C8 query, odd", "/plain/x?a=1&&b=%zz&=c&a=2??")]
    [InlineData("C8 query, empty", "/plain/x?")]
    [InlineData("C8 the organization's own rest", "/organizations/o-acme/a%2Bb/%7E")]
    public async Task A_target_arrives_as_it_was_sent(string name, string target) => Assert.Equal((name, target), (name, await TargetAsync(target)));

    [Theory]
    [InlineData("C8 the whole", "/organizations/%6F%2Dacme/a%2Bb", "/organizations/o-acme/a%2Bb")]
    [InlineData("C8 lower case", "/organizations/o%2dacme/%7e", "/organizations/o-acme/%7e")]
    public async Task An_organization_arrives_as_it_was_authorized(string name, string target, string expected) =>
        Assert.Equal((name, expected), (name, await TargetAsync(target)));

    [Theory]
    [InlineData("C8 PathPrefix", "/prefix/a%2Bb/%7E?x=%7E", "/v1/pre%20fix/prefix/a%2Bb/%7E?x=%7E")]
    [InlineData("C8 PathRemovePrefix", "/removed/a%2Bb/%7E?x=%7E", "/a%2Bb/%7E?x=%7E")]
    [InlineData("C8 PathRemovePrefix of all", "/removed?x=%7E", "/?x=%7E")]
    [InlineData("C8 PathRemovePrefix, the prefix encoded", "/%72emoved/a%2Bb", "/a%2Bb")]
    [InlineData("C8 PathRemovePrefix of two segments", "/two/segments/a%2Bb/", "/a%2Bb/")]
    [InlineData("C8 PathRemovePrefix, another path", "/two/others/a%2Bb", "/two/others/a%2Bb")]
    [InlineData("C8 PathSet", "/set/a%2Bb?x=%7E", "/fixed/a%20b?x=%7E")]
    [InlineData("C8 PathPattern", "/pattern/one%2Bone/a%20b/c%7Ed?x=%7E", "/v2/one%2Bone/is/a%20b/c%7Ed?x=%7E")]
    [InlineData("C8 PathPattern, no rest", "/pattern/one%40", "/v2/one%40/is")]
    [InlineData("C8 PathPattern, part of a segment", "/parts/a%20b.json", "/v3/json/a%20b")]
    [InlineData("C8 PathPattern, dots within a segment", "/within/..-b", "/v5/..x/b.b")]
    [InlineData("C8 PathPattern, three dots", "/dots/...-b", "/v4/.../b")]
    [InlineData("C8 PathPattern, the organization", "/any/o%2Dacme/x%2By", "/of/o-acme/x%2By")]
    [InlineData("C8 PathPattern, a default value", "/default", "/n/zz")]
    [InlineData("C8 PathPattern, a default value and a trailing slash", "/default/", "/n/zz")]
    [InlineData("C8 PathPattern, a default value and another", "/default/a%2Bb", "/n/a%2Bb")]
    [InlineData("C8 PathPattern, a default value and another with a trailing slash", "/default/a%2Bb/", "/n/a%2Bb")]
    [InlineData("C8 PathPattern, the second of two default values", "/defaults/a%2Bb/", "/n/a%2Bb/y")]
    [InlineData("C8 PathPattern, two default values and a trailing slash", "/defaults/", "/n/x/y")]
    [InlineData("C8 PathPattern, a default value of a catch-all", "/default-rest/", "/n/zz")]
    [InlineData("C8 PathPattern, an optional parameter and a trailing slash", "/optional/", "/n")]
    [InlineData("C8 PathPattern, a catch-all and a trailing slash", "/catch-all/", "/n")]
    [InlineData("C8 two path transforms", "/both/a%2Bb", "/outer/a%2Bb")]
    [InlineData("C8 a query transform that adds", "/query/x?q=%7E&r=a+b&r=%2f", "/query/x?q=%7E&r=a+b&r=%2f&added=1%20%2B")]
    [InlineData("C8 a query transform that appends to a parameter", "/query/x?added=%7E&q", "/query/x?added=%7E&q&added=1%20%2B")]
    [InlineData("C8 a query transform that replaces", "/query-set/x?q=%7E&SET=client&r=a+b", "/query-set/x?q=%7E&r=a+b&SET=operator")]
    [InlineData("C8 a query transform that removes", "/query-removed/x?q=%7E&removed=1&Removed=2&r=a+b", "/query-removed/x?q=%7E&r=a+b")]
    [InlineData("C8 a query transform that removes all", "/query-removed/x?removed=1", "/query-removed/x")]
    [InlineData("C8 a query transform from the route", "/query-route/a%2Bb?q=%7E", "/query-route/a%2Bb?q=%7E&from=a%2Bb")]
    [InlineData("C8 a destination with a path", "/based/a%2Bb", "/base/path/based/a%2Bb")]
    public async Task A_transform_changes_its_own_part(string name, string target, string expected) =>
        Assert.Equal((name, expected), (name, await TargetAsync(target)));

    [Theory]
    [InlineData("C8 two dots", "/dots/..-b")]
    [InlineData("C8 one dot", "/dots/.-b")]
    [InlineData("C8 the last segment", "/dots/a-..")]
    [InlineData("C8 escaped", "/dots/%2E%2e-b")]
    [InlineData("C8 dots that a pattern puts together", "/joined/.-b")]
    [InlineData("C8 a dot beside a wide space that a pattern puts together", "/joined/%E2%80%83-b")]
    [InlineData("C8 a dot beside a backslash of Japan that a pattern puts together", "/joined/%C2%A5x-b")]
    public async Task A_part_of_a_segment_becomes_no_dots_for_the_service(string name, string target)
    {
        var before = platform.World.Downstream.Requests.Snapshot().Count;
        var answer = await RawHttp.SendAsync(platform.Gateway.Url, target, "GET", $"Authorization: Bearer {platform.World.Token("o-acme")}");

        Assert.True(answer.Status == 400, $"{name}: {answer.Status} {answer.Body}");
        Assert.Equal(before, platform.World.Downstream.Requests.Snapshot().Count);
    }

    private async Task<string> TargetAsync(string target)
    {
        var before = platform.World.Downstream.Requests.Snapshot().Count;
        var answer = await RawHttp.SendAsync(platform.Gateway.Url, target, "GET", $"Authorization: Bearer {platform.World.Token("o-acme")}");
        Assert.True(answer.Status == 200, $"{answer.Status} {answer.Body}");
        return Assert.Single(platform.World.Downstream.Requests.Snapshot().Skip(before)).Target;
    }

    public sealed class Routes : PlatformFixture
    {
        protected override void Change(JsonObject settings)
        {
            Add("prefix", "/prefix/{**rest}", """{ "PathPrefix": "/v1/pre fix/" }""");
            Add("removed", "/removed/{**rest}", """{ "PathRemovePrefix": "/removed" }""");
            Add("two", "/two/{**rest}", """{ "PathRemovePrefix": "/two/segments" }""");
            Add("set", "/set/{**rest}", """{ "PathSet": "/fixed/a b" }""");
            Add("pattern", "/pattern/{first}/{**rest}", """{ "PathPattern": "/v2/{first}/is/{**rest}" }""");
            Add("default", "/default/{f=zz}", """{ "PathPattern": "/n/{f}" }""");
            Add("defaults", "/defaults/{f=x}/{g=y}", """{ "PathPattern": "/n/{f}/{g}" }""");
            Add("default-rest", "/default-rest/{**f=zz}", """{ "PathPattern": "/n/{**f}" }""");
            Add("optional", "/optional/{f?}", """{ "PathPattern": "/n/{f?}" }""");
            Add("catch-all", "/catch-all/{**f}", """{ "PathPattern": "/n/{**f}" }""");
            Add("parts", "/parts/{name}.{type}", """{ "PathPattern": "/v3/{type}/{name}" }""");
            Add("dots", "/dots/{a}-{b}", """{ "PathPattern": "/v4/{a}/{b}" }""");
            Add("within", "/within/{a}-{b}", """{ "PathPattern": "/v5/{a}x/{b}.{b2=b}" }""");
            Add("joined", "/joined/{a}-{b}", """{ "PathPattern": "/v6/.{a}" }""");
            settings.Route(
                "any", "/any/{organizationId}/{**rest}",
                """{ "Metadata": { "AnyOrganization": "true" }, "Transforms": [{ "PathPattern": "/of/{organizationId}/{**rest}" }] }""");
            Add("both", "/both/{**rest}", """{ "PathRemovePrefix": "/both" }, { "PathPrefix": "/outer" }""");
            Add("query", "/query/{**rest}", """{ "QueryValueParameter": "added", "Append": "1 +" }""");
            Add("query-set", "/query-set/{**rest}", """{ "QueryValueParameter": "set", "Set": "operator" }""");
            Add("query-removed", "/query-removed/{**rest}", """{ "QueryRemoveParameter": "removed" }""");
            Add("query-route", "/query-route/{name}", """{ "QueryRouteParameter": "from", "Set": "name" }""");
            settings.Set("ReverseProxy:Clusters:based", $$"""{ "Destinations": { "a": { "Address": "{{World.Downstream.Url}}/base/path/" } } }""")
                .Route("based", "/based/{**rest}", """{ "ClusterId": "based" }""");

            // Some make an organization's path of another one, which a route has to say.
            void Add(string name, string path, string transforms) =>
                settings.Route(name, path, $$"""{ "Metadata": { "AnyOrganization": "true" }, "Transforms": [{{transforms}}] }""");
        }
    }
}
