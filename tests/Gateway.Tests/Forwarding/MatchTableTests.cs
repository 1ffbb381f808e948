using System.Text.Json.Nodes;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>Every form of match that YARP 2.3 documents, through a gateway. docs/from-yarp.md has the same table in words.</summary>
public sealed class MatchTableTests(MatchTableTests.Routes platform) : IClassFixture<MatchTableTests.Routes>
{
    // A match (`/m` stands for a path of its own); a request that fits; one that does not.
    private static readonly (string Match, string Fits, string Other)[] s_table =
    [
        (""" "Path": "/m/a" """, "GET /m/A", "GET /m/b"),
        (""" "Path": "/m/{x:int}" """, "GET /m/1", "GET /m/a"),
        (""" "Path": "/m/{**rest}" """, "GET /m", "GET /n"),
        (""" "Path": "/m/{x}.{y}" """, "GET /m/a.b", "GET /m/a"),
        (""" "Path": "/m", "Methods": ["PUT", "POST"] """, "POST /m", "GET /m"),
        (""" "Path": "/m", "Hosts": ["a.example.com"] """, "GET /m|Host: A.example.com", "GET /m|Host: b.example.com"),
        (""" "Path": "/m", "Hosts": ["*.example.com"] """, "GET /m|Host: b.example.com", "GET /m|Host: example.org"),
        (""" "Path": "/m", "Hosts": ["a.example.com:8443"] """, "GET /m|Host: a.example.com:8443", "GET /m|Host: a.example.com"),
        (""" "Path": "/m", "Headers": [{ "Name": "X-H", "Values": ["one", "two"] }] """, "GET /m|X-H: TWO", "GET /m|X-H: three"),
        (""" "Path": "/m", "Headers": [{ "Name": "X-H", "Values": ["One"], "Mode": "ExactHeader", "IsCaseSensitive": true }] """,
            "GET /m|X-H: One", "GET /m|X-H: one"),
        (""" "Path": "/m", "Headers": [{ "Name": "X-H", "Values": ["one"], "Mode": "HeaderPrefix" }] """, "GET /m|X-H: one-more", "GET /m|X-H: no-one"),
        (""" "Path": "/m", "Headers": [{ "Name": "X-H", "Values": ["one"], "Mode": "Contains" }] """, "GET /m|X-H: no-one-more", "GET /m|X-H: two"),
        (""" "Path": "/m", "Headers": [{ "Name": "X-H", "Values": ["one"], "Mode": "NotContains" }] """, "GET /m|X-H: two", "GET /m|X-H: no-one-more"),
        (""" "Path": "/m", "Headers": [{ "Name": "X-H", "Mode": "Exists" }] """, "GET /m|X-H: any", "GET /m"),
        (""" "Path": "/m", "Headers": [{ "Name": "X-H", "Mode": "NotExists" }] """, "GET /m", "GET /m|X-H: any"),
        (""" "Path": "/m", "QueryParameters": [{ "Name": "q", "Values": ["one", "two"] }] """, "GET /m?q=TWO", "GET /m?q=three"),
        (""" "Path": "/m", "QueryParameters": [{ "Name": "q", "Values": ["One"], "Mode": "Exact", "IsCaseSensitive": true }] """,
            "GET /m?q=One", "GET /m?q=one"),
        (""" "Path": "/m", "QueryParameters": [{ "Name": "q", "Values": ["one"], "Mode": "Prefix" }] """, "GET /m?q=one-more", "GET /m?q=no-one"),
        (""" "Path": "/m", "QueryParameters": [{ "Name": "q", "Values": ["one"], "Mode": "Contains" }] """, "GET /m?q=no-one-more", "GET /m?q=two"),
        (""" "Path": "/m", "QueryParameters": [{ "Name": "q", "Values": ["one"], "Mode": "NotContains" }] """, "GET /m?q=two", "GET /m?q=no-one-more"),
        (""" "Path": "/m", "QueryParameters": [{ "Name": "q", "Mode": "Exists" }] """, "GET /m?q=any", "GET /m"),
    ];

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, s_table.Length)];

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_match_that_YARP_documents_works(int row)
    {
        var (match, fits, other) = s_table[row];

        Assert.Equal((match, 200), (match, await StatusAsync(fits, row)));
        Assert.NotEqual((match, 200), (match, await StatusAsync(other, row)));
    }

    [Fact]
    public async Task The_route_of_the_lower_order_is_chosen()
    {
        await RawHttp.SendAsync(platform.Gateway.Url, "/ordered/x", "GET");

        Assert.Equal("first", Assert.Single(Assert.Single(platform.Received("/ordered/x")).Headers["X-Route"]));
    }

    private async Task<int> StatusAsync(string request, int row)
    {
        var parts = request.Split('|');
        var (method, target) = (parts[0].Split(' ')[0], parts[0].Split(' ')[1]);
        return (await RawHttp.SendAsync(
            platform.Gateway.Url, target.Replace("/m", $"/m{row}", StringComparison.Ordinal), method,
            [$"Authorization: Bearer {platform.World.Token()}", "Content-Length: 0", .. parts[1..]])).Status;
    }

    public sealed class Routes : PlatformFixture
    {
        protected override void Change(JsonObject settings)
        {
            for (var row = 0; row < s_table.Length; row++)
            {
                var match = $"{{ {s_table[row].Match.Replace("\"/m", $"\"/m{row}", StringComparison.Ordinal)} }}";
                settings.Set($"ReverseProxy:Routes:m{row}", $$"""{ "ClusterId": "organizations", "Match": {{match}} }""");
            }

            foreach (var (name, order) in new[] { ("last", 2), ("first", 1) })
            {
                var path = name == "first" ? "/ordered/{x}" : "/ordered/{**rest}";
                settings.Route(
                    name, path,
                    $$"""{ "Order": {{order}}, "AuthorizationPolicy": "Anonymous", "Transforms": [{ "RequestHeader": "X-Route", "Set": "{{name}}" }] }""");
            }
        }
    }
}
