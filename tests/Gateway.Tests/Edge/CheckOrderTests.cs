using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Edge;

/// <summary>Of two things that are wrong with a request, the earlier check's is answered: each adjacent pair.</summary>
public sealed class CheckOrderTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    private static readonly string s_path = Requests.CredentialsPath("o-acme");
    private readonly World _world = platform.World;

    [Fact]
    public async Task A_bad_path_goes_before_a_method_that_is_nowhere_allowed() =>
        ErrorResponseAssert.Matches(400, "BadRequest", await platform.SendAsync("/organizations/o-acme/a;b", method: "TRACE"));

    [Fact]
    public async Task A_bad_path_goes_before_a_missing_token() =>
        ErrorResponseAssert.Matches(400, "BadRequest", await platform.SendAsync("/organizations/o-acme/a;b"));

    [Theory]
    [InlineData("TRACE")]
    [InlineData("BREW")]
    [InlineData("get")]
    public async Task A_method_that_is_nowhere_allowed_goes_before_a_missing_token(string method)
    {
        var answer = await RawHttp.SendAsync(platform.Gateway.Url, s_path, method);

        Assert.Equal(405, answer.Status);
        ErrorResponseAssert.BodyMatches("MethodNotAllowed", answer.Body);
        Assert.Equal(["application/json"], answer.Headers["Content-Type"]);
        Assert.Equal(["no-store"], answer.Headers["Cache-Control"]);
        Assert.Equal(["GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"], answer.Headers["Allow"]);
    }

    [Fact]
    public async Task A_missing_token_goes_before_the_routes_methods() =>
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync(s_path, method: "POST"), tokenSent: false);

    [Fact]
    public async Task The_routes_methods_go_before_a_malformed_id() =>
        ErrorResponseAssert.Matches(405, "MethodNotAllowed", await platform.SendAsync(Requests.CredentialsPath("o-*"), _world.Token("o-acme"), "POST"));

    [Fact]
    public async Task A_malformed_id_goes_before_membership() =>
        ErrorResponseAssert.Matches(422, "ValidationError", await platform.SendAsync(Requests.CredentialsPath("o-*"), _world.Token("o-acme")));

    [Fact]
    public async Task A_bad_query_goes_before_membership() =>
        ErrorResponseAssert.Matches(
            422, "ValidationError", await platform.SendAsync(Requests.CredentialsPath("o-other") + "?minimumLifetime=-1", _world.Token("o-acme")));

    [Theory]
    [InlineData("/organizations/o-*/devices")]
    [InlineData("/organizations/acme/operators/1")]
    [InlineData("/any/acme/1")]
    public async Task A_malformed_id_is_422_on_routes_that_pass_through_too(string path)
    {
        ErrorResponseAssert.Matches(422, "ValidationError", await platform.SendAsync(path, _world.Token("o-acme", "acme")));
        ErrorResponseAssert.IsUnauthenticated(await platform.SendAsync(path), tokenSent: false);
        Assert.Empty(platform.Received(path));
    }

    [Fact]
    public async Task Membership_goes_before_the_limit_and_the_limit_before_the_answer()
    {
        var gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("RateLimiting:Policies:Once", """{ "Algorithm": "FixedWindow", "PartitionBy": "Organization", "PermitLimit": 1, "Window": "00:10:00" }""")
            .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:RateLimiterPolicy", "\"Once\""));
        using var fault = _world.Aws.Inject(AwsFault.Error("AccessDenied", 403), "AssumeRole", call => call.AssumeRole?.RoleSessionName == "o-down");

        ErrorResponseAssert.Matches(503, "ServiceUnavailable", await gateway.VendAsync("o-down"));
        ErrorResponseAssert.Matches(429, "TooManyRequests", await gateway.VendAsync("o-down"));
        ErrorResponseAssert.Matches(403, "Forbidden", await gateway.SendAsync(Requests.CredentialsPath("o-down"), _world.Token("o-acme")));
    }

    [Fact]
    public async Task What_is_refused_does_not_count_against_the_limit()
    {
        var gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("RateLimiting:Policies:Once", """{ "Algorithm": "FixedWindow", "PartitionBy": "Organization", "PermitLimit": 1, "Window": "00:10:00" }""")
            .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:RateLimiterPolicy", "\"Once\""));

        ErrorResponseAssert.Matches(403, "Forbidden", await gateway.SendAsync(s_path, _world.Token("o-other")));
        ErrorResponseAssert.Matches(422, "ValidationError", await gateway.VendAsync("o-acme", "?minimumLifetime=x"));

        Assert.Equal(200, (await gateway.VendAsync("o-acme")).Status);
    }

    [Fact]
    public async Task A_host_that_is_not_answered_is_400_like_any_bad_request()
    {
        var gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis().Set("AllowedHosts", "\"api.example.com\""));
        var token = $"Authorization: Bearer {_world.Token("o-acme")}";

        var other = await RawHttp.SendAsync(gateway.Url, s_path, "GET", token, "Host: evil.example.com");
        var ours = await RawHttp.SendAsync(gateway.Url, s_path, "GET", token, "Host: api.example.com");

        Assert.Equal((400, 200), (other.Status, ours.Status));
        Assert.Equal(["application/json"], other.Headers["Content-Type"]);
        ErrorResponseAssert.BodyMatches("BadRequest", other.Body);
    }

    [Fact]
    public async Task The_methods_that_are_let_in_are_the_operators()
    {
        var gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis().Set("Edge:Methods", """["GET", "POST"]"""));

        var answer = await gateway.SendAsync("/nowhere", method: "DELETE");

        ErrorResponseAssert.Matches(405, "MethodNotAllowed", answer);
        Assert.Equal(["GET", "POST"], answer.ContentHeaders.Allow);
    }
}
