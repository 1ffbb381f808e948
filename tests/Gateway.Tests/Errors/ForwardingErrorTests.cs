using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;

namespace Gateway.Tests.Errors;

/// <summary>Errors on the way to a service are the gateway's; what the service itself answers is its own.</summary>
public sealed class ForwardingErrorTests(ForwardingErrorTests.Clusters platform) : IClassFixture<ForwardingErrorTests.Clusters>
{
    private string Token => platform.World.Token("o-acme");

    [Fact]
    public async Task A_service_that_is_down_is_502() => ErrorResponseAssert.Matches(502, "BadGateway", await platform.SendAsync("/down/1", Token));

    [Fact]
    public async Task A_service_that_hangs_up_is_502() => ErrorResponseAssert.Matches(502, "BadGateway", await platform.SendAsync("/plain/abort", Token));

    [Fact]
    public async Task No_healthy_destination_is_503()
    {
        // The health policy judges from ten requests on, and behind them.
        var answer = await platform.SendAsync("/sick/1", Token);
        for (var i = 0; i < 100 && answer.Status == 502; i++) answer = await platform.SendAsync("/sick/1", Token);

        ErrorResponseAssert.Matches(503, "ServiceUnavailable", answer);
    }

    [Theory]
    [InlineData("/impatient/slow/20000")]
    [InlineData("/timed/slow/20000")]
    public async Task A_service_that_is_too_slow_is_504(string path) =>
        ErrorResponseAssert.Matches(504, "GatewayTimeout", await platform.SendAsync(path, Token));

    [Fact]
    public async Task A_module_that_is_too_slow_for_its_route_is_504()
    {
        using var hang = platform.World.Aws.Inject(Sandbox.AwsFault.Hang(), "AssumeRole", call => call.AssumeRole?.RoleSessionName == "o-slow");

        var answer = await platform.SendAsync("/timed/organizations/o-slow/credentials", platform.World.Token("o-slow"));

        ErrorResponseAssert.Matches(504, "GatewayTimeout", answer);
    }

    [Fact]
    public async Task A_route_with_a_timeout_answers_what_is_in_time() => Assert.Equal(200, (await platform.SendAsync("/patient/1", Token)).Status);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_over_the_routes_limit_is_413(bool chunked)
    {
        var answer = await platform.SendAsync("/small/1", Token, "POST", request =>
        {
            request.Content = new ByteArrayContent(new byte[5000]);
            request.Headers.TransferEncodingChunked = chunked;
        });

        ErrorResponseAssert.Matches(413, "PayloadTooLarge", answer);
    }

    [Fact]
    public async Task A_body_within_the_limit_passes()
    {
        var answer = await platform.SendAsync("/small/1", Token, "POST", request => request.Content = new ByteArrayContent(new byte[1000]));

        Assert.Equal(1000, answer.Json.GetProperty("bodyLength").GetInt32());
    }

    [Theory]
    [InlineData("/down/1")]
    [InlineData("/plain/abort")]
    [InlineData("/timed/slow/20000")]
    [InlineData("/throws/1")]
    public async Task An_error_on_the_way_names_no_address_and_no_cause(string path)
    {
        var answer = await platform.SendAsync(path, Token);

        Assert.InRange(answer.Status, 500, 504);
        var told = $"{answer.Headers}{answer.ContentHeaders}{answer.Body}";
        foreach (var hint in (string[])["127.0.0.1", "localhost", "xception", " at ", "refused", "Yarp", "Kestrel", "down", "organizations"])
            Assert.DoesNotContain(hint, told, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task An_exception_inside_is_500_and_tells_nothing()
    {
        var answer = await platform.SendAsync("/throws/1", Token);
        var vend = await platform.SendAsync(Requests.CredentialsPath("o-throws"), Token);

        Assert.Equal((500, 500), (answer.Status, vend.Status));
        ErrorResponseAssert.BodyMatches("InternalServerError", answer.Body);
        ErrorResponseAssert.Matches(500, "InternalServerError", vend);
        Assert.Equal("application/json", answer.ContentHeaders.ContentType!.ToString());
        Assert.True(answer.Headers.CacheControl!.NoStore);
        Assert.DoesNotContain("deliberate", answer.Body, StringComparison.Ordinal);
        Assert.Equal(["nosniff"], answer.Headers.GetValues("X-Content-Type-Options"));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(418)]
    [InlineData(422)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_services_own_empty_error_passes_untouched(int status)
    {
        var answer = await platform.SendAsync($"/plain/status/{status}", Token);

        Assert.Equal(status, answer.Status);
        Assert.Empty(answer.Body);
        Assert.Null(answer.ContentHeaders.ContentType);
        Assert.Null(answer.Headers.CacheControl);
        Assert.Empty(answer.Headers.WwwAuthenticate);
    }

    [Fact]
    public async Task A_services_own_answer_passes_untouched()
    {
        var answer = await platform.SendAsync("/plain/1", Token);

        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json; charset=utf-8", answer.ContentHeaders.ContentType!.ToString());
        Assert.Null(answer.Headers.CacheControl);
        Assert.Equal("/plain/1", answer.Json.GetProperty("target").GetString());
    }

    [Fact]
    public async Task A_services_own_error_passes_untouched_but_for_the_name_of_its_software()
    {
        var answer = await platform.SendAsync("/scripted/1", Token);

        Assert.Equal(500, answer.Status);
        Assert.Equal("it broke", answer.Body);
        Assert.Equal("text/plain", answer.ContentHeaders.ContentType!.ToString());
        Assert.Equal(["1", "2"], answer.Headers.GetValues("X-Service"));
        Assert.Equal("max-age=7", answer.Headers.CacheControl!.ToString());
        Assert.False(answer.Headers.Contains("Server"));
        Assert.Equal(["service"], answer.Headers.GetValues("X-Powered-By"));
        Assert.False(answer.Headers.Contains("X-Content-Type-Options"));
    }

    public sealed class Clusters : PlatformFixture
    {
        private static readonly byte[] s_answer = Encoding.ASCII.GetBytes(string.Join("\r\n",
            "HTTP/1.1 500 Broken", "Content-Type: text/plain", "Content-Length: 8", "X-Service: 1", "X-Service: 2", "Server: service/1",
            "X-Powered-By: service", "Cache-Control: max-age=7", "", "it broke"));

        private readonly TcpListener _scripted = new(IPAddress.Loopback, 0);

        protected override ValueTask PrepareAsync()
        {
            _scripted.Start();
            _ = AnswerAsync();
            return default;
        }

        protected override void Replace(IServiceCollection services) => services.AddSingleton<IAuthorizationHandler, ThrowingHandler>();

        protected override void Change(JsonObject settings)
        {
            var down = $"http://127.0.0.1:{FreePort.Find()}/";
            settings
                .Set("ReverseProxy:Clusters:down", $$"""{ "Destinations": { "a": { "Address": "{{down}}" } } }""")
                .Set("ReverseProxy:Clusters:sick", $$"""
                    {
                      "Destinations": { "a": { "Address": "{{down}}" } },
                      "HealthCheck": { "AvailableDestinationsPolicy": "HealthyAndUnknown", "Passive": { "Enabled": true, "ReactivationPeriod": "01:00:00" } }
                    }
                    """)
                .Set("ReverseProxy:Clusters:impatient", $$"""
                    { "Destinations": { "a": { "Address": "{{World.Downstream.Url}}" } }, "HttpRequest": { "ActivityTimeout": "00:00:00.2" } }
                    """)
                .Set("ReverseProxy:Clusters:scripted", $$"""{ "Destinations": { "a": { "Address": "http://{{_scripted.LocalEndpoint}}" } } }""")
                .Set("ReverseProxy:Routes:timed-credentials", """
                    {
                      "Match": { "Path": "/timed/organizations/{organizationId}/credentials" }, "AuthorizationPolicy": "OrganizationMember",
                      "Timeout": "00:00:00.2", "Metadata": { "Module": "IotCredentials" }
                    }
                    """)
                .Route("down", "/down/{**rest}", """{ "ClusterId": "down" }""")
                .Route("sick", "/sick/{**rest}", """{ "ClusterId": "sick" }""")
                .Route("impatient", "/impatient/{**rest}", """{ "ClusterId": "impatient" }""")
                .Route("scripted", "/scripted/{**rest}", """{ "ClusterId": "scripted" }""")
                .Route("patient", "/patient/{**rest}", """{ "Timeout": "00:01:00" }""")
                .Route("timed", "/timed/{**rest}", """{ "Timeout": "00:00:00.2" }""")
                .Route("small", "/small/{**rest}", """{ "MaxRequestBodySize": 1000 }""")
                .Route("throws", "/throws/{**rest}");
        }

        private async Task AnswerAsync()
        {
            while (true)
            {
                using var client = await _scripted.AcceptTcpClientAsync();
                await using var stream = client.GetStream();
                using var request = new StreamReader(stream);
                while (await request.ReadLineAsync() is { Length: > 0 }) { }
                await stream.WriteAsync(s_answer);
            }
        }
    }
}
