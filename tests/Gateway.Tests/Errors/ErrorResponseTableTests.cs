using System.Globalization;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.Errors;

/// <summary>The credential route's table of answers, a row at a time.</summary>
public sealed class ErrorResponseTableTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    private const string Unauthenticated =
        """{"error":"Unauthenticated","message":"Authentication is required and has failed or has not yet been provided."}""";
    private const string ValidationError = """{"error":"ValidationError","message":"Input data validation failed."}""";
    private const string Forbidden = """{"error":"Forbidden","message":"Access to the requested resource is forbidden."}""";

    private readonly World _world = platform.World;

    [Fact]
    public async Task Vended_credentials_are_200_with_the_members_of_the_contract_and_no_others()
    {
        var answer = await platform.Gateway.VendAsync("o-table");

        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal("application/json", answer.ContentHeaders.ContentType!.ToString());
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
        var issued = Assert.Single(_world.Aws.Calls.Snapshot(), call => call.AssumeRole?.RoleSessionName == "o-table").Issued!;
        var expiration = issued.Expiration!.Value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var endpoint = AwsEmulator.IotEndpoint("111122223333", "ap-northeast-1");
        Assert.Equal(
            $$"""{"data":{"awsRegion":"ap-northeast-1","iotEndpoint":"{{endpoint}}","credentials":{"accessKeyId":"{{issued.AccessKeyId}}",""" +
            $$"""
            "secretAccessKey":"{{issued.SecretAccessKey}}","sessionToken":"{{issued.SessionToken}}","expiration":"{{expiration}}"
            """ + "}}}",
            answer.Body);
        Assert.EndsWith(".000Z", answer.Credentials.GetProperty("expiration").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_token_is_401()
    {
        var answer = await platform.SendAsync(Requests.CredentialsPath("o-acme"));

        ErrorResponseAssert.IsUnauthenticated(answer, tokenSent: false);
        Assert.Equal(Unauthenticated, answer.Body);
    }

    [Fact]
    public async Task A_bad_token_is_401_and_says_so()
    {
        var answer = await platform.SendAsync(Requests.CredentialsPath("o-acme"), "nonsense");

        ErrorResponseAssert.IsUnauthenticated(answer, tokenSent: true);
        Assert.Equal(Unauthenticated, answer.Body);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("DELETE")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    public async Task Another_method_than_GET_is_405_and_goes_nowhere(string method)
    {
        var answer = await platform.SendAsync(Requests.CredentialsPath("o-acme"), _world.Token("o-acme"), method);

        Assert.Equal(405, answer.Status);
        Assert.Equal(["GET"], answer.ContentHeaders.Allow);
        Assert.Equal("application/json", answer.ContentHeaders.ContentType!.ToString());
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
        if (method == "HEAD") Assert.Empty(answer.Body);
        else ErrorResponseAssert.BodyMatches("MethodNotAllowed", answer.Body);
        Assert.Empty(platform.Received(Requests.CredentialsPath("o-acme")));
    }

    [Theory]
    [InlineData("o-no_such")]
    [InlineData("acme")]
    [InlineData("o-")]
    public async Task A_malformed_organization_id_is_422(string id)
    {
        var answer = await platform.SendAsync(Requests.CredentialsPath(id), _world.Token(id));

        ErrorResponseAssert.Matches(422, "ValidationError", answer);
        Assert.Equal(ValidationError, answer.Body);
    }

    [Fact]
    public async Task Another_organization_is_403()
    {
        var answer = await platform.SendAsync(Requests.CredentialsPath("o-other"), _world.Token("o-acme"));

        ErrorResponseAssert.Matches(403, "Forbidden", answer);
        Assert.Equal(Forbidden, answer.Body);
        Assert.DoesNotContain(_world.Aws.Calls.Snapshot(), call => call.AssumeRole?.RoleSessionName == "o-other");
    }

    [Fact]
    public async Task Over_the_limit_is_429_with_the_time_to_wait()
    {
        var gateway = await _world.StartGatewayAsync(settings => settings.WithoutRedis()
            .Set("RateLimiting:Policies:Once", """{ "Algorithm": "FixedWindow", "PartitionBy": "Organization", "PermitLimit": 1, "Window": "00:10:00" }""")
            .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:RateLimiterPolicy", "\"Once\""));
        await gateway.VendAsync("o-acme");

        var answer = await gateway.VendAsync("o-acme");

        ErrorResponseAssert.Matches(429, "TooManyRequests", answer);
        Assert.InRange(answer.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(11));
    }

    [Theory]
    [InlineData("o-denied", "AccessDenied", 403)]
    [InlineData("o-throttled", "Throttling", 400)]
    [InlineData("o-broken", "InternalFailure", 500)]
    public async Task An_STS_that_cannot_answer_is_503_with_the_time_to_wait(string organization, string code, int status)
    {
        using var fault = _world.Aws.Inject(AwsFault.Error(code, status), "AssumeRole", call => call.AssumeRole?.RoleSessionName == organization);

        var answer = await platform.Gateway.VendAsync(organization);

        ErrorResponseAssert.Matches(503, "ServiceUnavailable", answer);
        Assert.True(answer.Headers.RetryAfter!.Delta!.Value >= TimeSpan.FromSeconds(1));
    }

    [Theory]
    [InlineData("/ORGANIZATIONS/o-acme/Iot-Endpoint-And-Credentials")]
    [InlineData("/organizations/o-acme/iot-endpoint-and-credentials/")]
    [InlineData("/organizations/o%2Dacme/iot%2Dendpoint-and-credentials")]
    public async Task The_route_is_the_same_by_any_spelling_of_its_path(string path)
    {
        var answer = await platform.SendAsync(path, _world.Token("o-acme"));
        var post = await platform.SendAsync(path, _world.Token("o-acme"), "POST");

        Assert.Equal(200, answer.Status);
        Assert.Equal(["data"], answer.Json.EnumerateObject().Select(member => member.Name));
        ErrorResponseAssert.Matches(405, "MethodNotAllowed", post);
    }

    [Fact]
    public async Task A_preflight_and_what_a_browser_then_sends_are_not_stored()
    {
        var path = Requests.CredentialsPath("o-acme");
        var preflight = await platform.SendAsync(path, method: "OPTIONS", change: request =>
        {
            request.Headers.Add("Origin", "https://app.example.com");
            request.Headers.Add("Access-Control-Request-Method", "GET");
            request.Headers.Add("Access-Control-Request-Headers", "authorization");
        });
        var answer = await platform.SendAsync(path, _world.Token("o-acme"), change: request => request.Headers.Add("Origin", "https://app.example.com"));

        Assert.Equal(204, preflight.Status);
        Assert.Equal(["https://app.example.com"], preflight.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal("no-store", preflight.Headers.CacheControl?.ToString());
        Assert.Equal(200, answer.Status);
        Assert.Equal(["https://app.example.com"], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal("no-store", answer.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task An_unmatched_path_is_401_without_a_token_and_404_with_one()
    {
        var without = await platform.SendAsync("/nowhere");
        var with = await platform.SendAsync("/nowhere", _world.Token("o-acme"));

        ErrorResponseAssert.IsUnauthenticated(without, tokenSent: false);
        ErrorResponseAssert.Matches(404, "NotFound", with);
    }

    [Fact]
    public async Task A_method_that_a_plain_route_does_not_take_is_405_after_401()
    {
        var without = await platform.SendAsync("/reports/1", method: "POST");
        var with = await platform.SendAsync("/reports/1", _world.Token(), "POST");

        ErrorResponseAssert.IsUnauthenticated(without, tokenSent: false);
        ErrorResponseAssert.Matches(405, "MethodNotAllowed", with);
        Assert.Equal(["GET"], with.ContentHeaders.Allow);
        Assert.Empty(platform.Received("/reports/1"));
    }

    [Fact]
    public async Task An_answer_names_no_server()
    {
        foreach (var path in (string[])[Requests.CredentialsPath("o-acme"), "/nowhere", "/plain/server", "/a;b"])
        {
            var answer = await platform.SendAsync(path, _world.Token("o-acme"));
            Assert.False(answer.Headers.Contains("Server"), path);
        }
    }

    [Fact]
    public async Task What_is_vended_is_never_logged()
    {
        var token = _world.Token("o-quiet");
        var answer = await platform.SendAsync(Requests.CredentialsPath("o-quiet"), token);

        Assert.Equal(200, answer.Status);
        foreach (var secret in (string[])["secretAccessKey", "sessionToken"])
            Assert.DoesNotContain(answer.Credentials.GetProperty(secret).GetString()!, platform.Gateway.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(token, platform.Gateway.Log.Text, StringComparison.Ordinal);
    }
}
