using Testing;
using Xunit;

namespace Gateway.Tests.Cors;

public sealed class CorsTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    private const string App = "https://app.example.com";

    private static readonly string s_path = Requests.CredentialsPath("o-acme");

    [Fact]
    public async Task A_preflight_of_the_policys_origin_needs_no_token()
    {
        var answer = await PreflightAsync(s_path, App);

        Assert.Equal(204, answer.Status);
        Assert.Equal([App], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["GET"], answer.Headers.GetValues("Access-Control-Allow-Methods"));
        Assert.Equal(["authorization"], answer.Headers.GetValues("Access-Control-Allow-Headers"));
        Assert.Empty(platform.Received(s_path));
    }

    [Theory]
    [InlineData("https://evil.example.com")]
    [InlineData("http://app.example.com")]
    [InlineData("https://app.example.com:8443")]
    [InlineData("https://app.example.com.evil.example")]
    [InlineData("null")]
    public async Task Another_origin_is_told_nothing(string origin)
    {
        var preflight = await PreflightAsync(s_path, origin);
        var answer = await platform.SendAsync(s_path, platform.World.Token("o-acme"), change: request => request.Headers.Add("Origin", origin));

        Assert.DoesNotContain(preflight.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_script_may_read_what_the_gateway_refuses()
    {
        var answer = await platform.SendAsync(s_path, change: request => request.Headers.Add("Origin", App));

        ErrorResponseAssert.IsUnauthenticated(answer, tokenSent: false);
        Assert.Equal([App], answer.Headers.GetValues("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task OPTIONS_that_is_no_preflight_is_like_any_method()
    {
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync(s_path, method: "OPTIONS"), tokenSent: false);
        ErrorResponseAssert.IsUnauthenticated(
            await platform.SendAsync(s_path, method: "OPTIONS", change: request => request.Headers.Add("Origin", App)), tokenSent: false);
    }

    [Fact]
    public async Task A_route_without_a_policy_answers_no_preflight()
    {
        var answer = await PreflightAsync("/plain/cors", App);

        ErrorResponseAssert.IsUnauthenticated(answer, tokenSent: false);
        Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase));
    }

    private Task<Response> PreflightAsync(string path, string origin) => platform.SendAsync(path, method: "OPTIONS", change: request =>
    {
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "GET");
        request.Headers.Add("Access-Control-Request-Headers", "authorization");
    });
}
