using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace Gateway.Tests.ApiReference;

/// <summary><c>/reference</c> loads nothing from elsewhere, and its policy lets it load nothing.</summary>
public sealed partial class ReferencePageTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    [Fact]
    public async Task Its_scripts_come_from_the_gateway_and_need_no_token()
    {
        var page = await GetAsync("/reference/");

        Assert.Equal((200, "text/html"), (page.Status, page.ContentHeaders.ContentType?.MediaType));
        Assert.DoesNotContain("//", Source().Replace(page.Body, ""), StringComparison.Ordinal);
        var scripts = Source().Matches(page.Body).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(scripts);
        foreach (var script in scripts)
        {
            var response = await GetAsync($"/reference/{script}");
            Assert.Equal((200, "nosniff"), (response.Status, response.Headers.GetValues("X-Content-Type-Options").Single()));
        }
    }

    [Fact]
    public async Task Its_policy_allows_scripts_of_this_page_alone_and_requests_to_the_gateway_alone()
    {
        var (first, second) = (await GetAsync("/reference/"), await GetAsync("/reference/"));

        var policy = Policy(first);
        var nonce = Nonce().Match(first.Body).Groups[1].Value;
        Assert.Equal($"'self' 'nonce-{nonce}'", policy["script-src"]);
        Assert.Equal(("'none'", "'self'", "'none'", "'none'"), (policy["default-src"], policy["connect-src"], policy["frame-ancestors"], policy["base-uri"]));
        Assert.NotEqual(policy["script-src"], Policy(second)["script-src"]);
    }

    [Theory]
    [InlineData("/reference/../appsettings.json")]
    [InlineData("/reference/appsettings.json")]
    [InlineData("/reference/edge.json")]
    public async Task It_serves_no_other_file(string path) => Assert.NotEqual("application/json", (await GetAsync(path)) switch
    {
        { Status: 200 } served => served.ContentHeaders.ContentType?.MediaType,
        _ => "",
    });

    [Theory]
    [InlineData("/openapi.json")]
    [InlineData("/reference/")]
    [InlineData("/reference/scalar.js")]
    public async Task HEAD_gets_what_GET_does_without_the_body(string path)
    {
        var response = await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + path, method: "HEAD");

        Assert.Equal((200, ""), (response.Status, response.Body));
    }

    [Theory]
    [InlineData("/openapi.json")]
    [InlineData("/reference/")]
    [InlineData("/reference/scalar.js")]
    public async Task The_public_listener_has_none_of_it(string path)
    {
        Assert.Equal(401, (await platform.SendAsync(path)).Status);
        Assert.Equal(404, (await platform.SendAsync(path, platform.World.Token("o-acme"))).Status);
    }

    private static Dictionary<string, string> Policy(Response page) => page.Headers.GetValues("Content-Security-Policy").Single().Split("; ")
        .Select(directive => directive.Split(' ', 2)).ToDictionary(directive => directive[0], directive => directive[1]);

    private Task<Response> GetAsync(string path) => platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + path);

    [GeneratedRegex("src=\"([^\"]*)\"")]
    private static partial Regex Source();

    [GeneratedRegex("nonce=\"([^\"]*)\"")]
    private static partial Regex Nonce();
}
