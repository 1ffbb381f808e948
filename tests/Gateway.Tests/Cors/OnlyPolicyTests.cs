using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Forwarding;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Testing;
using Xunit;

namespace Gateway.Tests.Cors;

/// <summary>C7: where a route has a CORS policy, that policy is the only one.</summary>
public sealed class OnlyPolicyTests(OnlyPolicyTests.Services platform) : IClassFixture<OnlyPolicyTests.Services>
{
    private const string App = "https://app.example.com";
    private const string Evil = "https://evil.example.com";

    [Theory]
    [InlineData("C7 an origin that the route does not list", "/web/generous", Evil)]
    [InlineData("C7 no origin", "/web/generous", null)]
    [InlineData("C7 the null origin", "/web/generous", "null")]
    [InlineData("C7 an origin that differs by a port", "/web/generous", App + ":8443")]
    [InlineData("C7 a route whose CORS is disabled", "/disabled/generous", App)]
    [InlineData("C7 an error of the service", "/web/error", Evil)]
    [InlineData("C7 a policy of two origins", "/two/generous", Evil)]
    public async Task C7_a_services_own_headers_are_removed(string row, string path, string? origin)
    {
        var answer = await GetAsync(path, origin);

        Assert.True(answer.Status is 200 or 500, $"{row}: {answer.Status}");
        Assert.DoesNotContain(answer.Headers, IsCors);
        Assert.Equal(["kept"], answer.Headers.GetValues("X-Kept"));
        VariesByOriginOnce(answer);
    }

    [Theory]
    [InlineData("/web/generous")]
    [InlineData("/two/generous")]
    public async Task C7_an_allowed_origin_reads_the_gateways_and_nothing_of_the_services(string path)
    {
        var answer = await GetAsync(path, App);

        Assert.Equal([App], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["Retry-After,X-Request-Id"], answer.Headers.GetValues("Access-Control-Expose-Headers"));
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.False(answer.Headers.Contains("Access-Control-Max-Age"));
        VariesByOriginOnce(answer);
    }

    [Theory]
    [InlineData(401, "/web/x", Evil, false)]
    [InlineData(401, "/web/x", App, false)]
    [InlineData(401, "/web/x", null, false)]
    [InlineData(403, "/forbidden/o-other", Evil, true)]
    [InlineData(429, "/web/limited", Evil, true)]
    [InlineData(502, "/web/down", Evil, true)]
    [InlineData(200, "/web/vary-star", Evil, true)]
    [InlineData(200, "/web/vary-other", Evil, true)]
    [InlineData(200, "/web/vary-origin", App, true)]
    public async Task C7_every_response_varies_by_origin(int status, string path, string? origin, bool withToken)
    {
        var answer = await GetAsync(path, origin, withToken);
        if (path == "/web/limited") answer = await GetAsync(path, origin, withToken);

        Assert.Equal(status, answer.Status);
        if (path == "/web/vary-star") Assert.Equal(["*"], answer.Headers.Vary);
        else VariesByOriginOnce(answer);
        if (path == "/web/vary-other") Assert.Contains("Accept-Language", answer.Headers.Vary);
    }

    [Theory]
    [InlineData(App, true)]
    [InlineData(Evil, false)]
    [InlineData(null, false)]
    public async Task A_loop_is_told_to_scripts_of_the_policys_origins(string? origin, bool isAllowed)
    {
        var target = $"/open/{Guid.NewGuid():N}";
        await platform.SendAsync(target);
        var via = Assert.Single(Assert.Single(platform.Received(target)).Headers["Via"]);

        var answer = await platform.SendAsync("/web/x", change: request =>
        {
            request.Headers.Add("Via", via);
            if (origin is not null) request.Headers.Add("Origin", origin);
        });

        Assert.Equal(508, answer.Status);
        Assert.Equal(isAllowed, answer.Headers.Contains("Access-Control-Allow-Origin"));
        VariesByOriginOnce(answer);
    }

    [Theory]
    [InlineData(App, true)]
    [InlineData(Evil, false)]
    public async Task C7_a_services_own_preflight_response_reaches_nobody(string origin, bool isAllowed)
    {
        var answer = await platform.SendAsync("/web/generous", method: "OPTIONS", change: request =>
        {
            request.Headers.Add("Origin", origin);
            request.Headers.Add("Access-Control-Request-Method", "DELETE");
        });

        Assert.Equal(204, answer.Status);
        Assert.Equal(isAllowed, answer.Headers.TryGetValues("Access-Control-Max-Age", out var age) && age.Single() == "600");
        Assert.Equal(isAllowed, answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False(answer.Headers.Contains("X-Kept"));
        VariesByOriginOnce(answer);
    }

    [Fact]
    public async Task C7_a_route_without_a_policy_passes_what_its_service_says()
    {
        var answer = await GetAsync("/none/generous", Evil);

        Assert.Equal(["*"], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["true"], answer.Headers.GetValues("access-control-allow-credentials"));
        Assert.Empty(answer.Headers.Vary);
    }

    [Theory]
    [InlineData("/web2/trailers", false)]
    [InlineData("/none2/trailers", true)]
    public async Task C7_trailers_are_headers_too(string path, bool arrive)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, platform.Http2 + path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Authorization = new("Bearer", platform.World.Token());
        using var response = await platform.World.Client.SendAsync(request, TestContext.Current.CancellationToken);
        await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal(arrive, response.TrailingHeaders.Contains("Access-Control-Allow-Origin"));
        Assert.True(response.TrailingHeaders.Contains("X-Kept"));
    }

    [Fact]
    public async Task C6_a_policy_says_what_scripts_may_read_and_send_and_for_how_long()
    {
        var answer = await GetAsync("/own/generous", App);
        var preflight = await platform.SendAsync("/own/x", method: "OPTIONS", change: request =>
        {
            request.Headers.Add("Origin", App);
            request.Headers.Add("Access-Control-Request-Method", "GET");
        });

        Assert.Equal(["ETag"], answer.Headers.GetValues("Access-Control-Expose-Headers"));
        Assert.Equal(["true"], answer.Headers.GetValues("Access-Control-Allow-Credentials"));
        Assert.Equal([App], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["7200"], preflight.Headers.GetValues("Access-Control-Max-Age"));
        Assert.Equal(["true"], preflight.Headers.GetValues("Access-Control-Allow-Credentials"));
    }

    private static bool IsCors(KeyValuePair<string, IEnumerable<string>> header) =>
        header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase);

    private static void VariesByOriginOnce(Response answer) =>
        Assert.Single(answer.Headers.Vary, name => name.Equals("Origin", StringComparison.OrdinalIgnoreCase));

    private Task<Response> GetAsync(string path, string? origin, bool withToken = true) => platform.SendAsync(
        path, withToken ? platform.World.Token("o-acme") : null,
        change: request => request.Headers.TryAddWithoutValidation("Origin", origin is null ? [] : [origin]));

    public sealed class Services : PlatformFixture
    {
        private readonly int _http2 = FreePort.Find();
        private readonly int _down = FreePort.Find();
        private WrittenService _one = null!;
        private WrittenService _two = null!;

        public string Http2 => $"http://127.0.0.1:{_http2}";

        protected override async ValueTask PrepareAsync() =>
            (_one, _two) = (await WrittenService.StartAsync(RespondAsync), await WrittenService.StartAsync(RespondAsync, HttpProtocols.Http2));

        protected override void Change(JsonObject settings)
        {
            settings.Remove("Urls");
            settings
                .Set("Kestrel:Endpoints:A", """{ "Url": "http://127.0.0.1:0" }""")
                .Set("Kestrel:Endpoints:Two", $$"""{ "Url": "{{Http2}}", "Protocols": "Http2" }""")
                .Set("ReverseProxy:Clusters:one", $$"""{ "Destinations": { "a": { "Address": "{{_one.Url}}" } } }""")
                .Set("ReverseProxy:Clusters:two", $$"""
                    { "Destinations": { "a": { "Address": "{{_two.Url}}" } }, "HttpRequest": { "Version": "2", "VersionPolicy": "RequestVersionExact" } }
                    """)
                .Set("ReverseProxy:Clusters:down", $$"""{ "Destinations": { "a": { "Address": "http://127.0.0.1:{{_down}}/" } } }""")
                .Set("Cors:Policies:Two", $$"""{ "Origins": ["{{App}}", "https://other.example.com"], "Methods": ["DELETE"] }""")
                .Set("Cors:Policies:Own", $$"""{ "Origins": ["{{App}}"], "ExposedHeaders": ["ETag"], "MaxAge": "02:00:00", "AllowCredentials": true }""")
                .Set("RateLimiting:Policies:Once", """{ "Algorithm": "FixedWindow", "PartitionBy": "Route", "PermitLimit": 1, "Window": "01:00:00" }""")
                .Route("web", "/web/{**rest}", """{ "ClusterId": "one", "CorsPolicy": "Web" }""")
                .Route(
                    "web-forbidden",
                    "/forbidden/{organizationId}",
                    """{ "ClusterId": "one", "CorsPolicy": "Web", "AuthorizationPolicy": "OrganizationMember" }""")
                .Route("web-limited", "/web/limited", """{ "ClusterId": "one", "CorsPolicy": "Web", "RateLimiterPolicy": "Once" }""")
                .Route("web-down", "/web/down", """{ "ClusterId": "down", "CorsPolicy": "Web" }""")
                .Route("two", "/two/{**rest}", """{ "ClusterId": "one", "CorsPolicy": "Two" }""")
                .Route("own", "/own/{**rest}", """{ "ClusterId": "one", "CorsPolicy": "Own" }""")
                .Route("disabled", "/disabled/{**rest}", """{ "ClusterId": "one", "CorsPolicy": "Disable" }""")
                .Route("none", "/none/{**rest}", """{ "ClusterId": "one" }""")
                .Route("web2", "/web2/{**rest}", """{ "ClusterId": "two", "CorsPolicy": "Web" }""")
                .Route("none2", "/none2/{**rest}", """{ "ClusterId": "two" }""");
        }

        // A service that lets in everybody, in every way that there is.
        private static async Task RespondAsync(HttpContext context)
        {
            var (path, headers) = (context.Request.Path.Value!, context.Response.Headers);
            if (path.EndsWith("/trailers", StringComparison.Ordinal))
            {
                await context.Response.WriteAsync("body");
                context.Response.AppendTrailer("access-control-allow-origin", "*");
                context.Response.AppendTrailer("X-Kept", "kept");
                return;
            }

            headers["X-Kept"] = "kept";
            if (path.EndsWith("/vary-star", StringComparison.Ordinal)) headers.Vary = "*";
            if (path.EndsWith("/vary-other", StringComparison.Ordinal)) headers.Vary = "Accept-Language, Accept-Encoding";
            if (path.EndsWith("/vary-origin", StringComparison.Ordinal)) headers.Vary = "accept-encoding,ORIGIN";
            if (path.EndsWith("/error", StringComparison.Ordinal)) context.Response.StatusCode = 500;
            headers.AccessControlAllowOrigin = "*";
            headers["access-control-allow-credentials"] = "true";
            headers["ACCESS-CONTROL-EXPOSE-HEADERS"] = "X-Secret";
            headers["Access-Control-Allow-Methods"] = "DELETE";
            headers["Access-Control-Allow-Headers"] = "*";
            headers["Access-Control-Max-Age"] = "86400";
            headers["Access-Control-Allow-Private-Network"] = "true";
        }
    }
}
