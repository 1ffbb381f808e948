using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Forwarding.Headers;
using Gateway.Tests.Hosting;
using Json.Schema;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.ApiReference;

/// <summary>The running gateway does what its OpenAPI document says of the credential routes.</summary>
public sealed class CredentialRouteContractTests(CredentialRouteContractTests.Edge platform) : IClassFixture<CredentialRouteContractTests.Edge>
{
    private const string Template = "/organizations/{organizationId}/iot-endpoint-and-credentials";

    private static readonly HashSet<string> s_alwaysThere = ["Cache-Control", "X-Request-Id"];
    private static readonly HashSet<string> s_ofLimits = ["RateLimit-Policy", "RateLimit"];

    private static readonly Dictionary<int, Func<Edge, Task<Response>>> s_requests = new()
    {
        [200] = edge => edge.Gateway.VendAsync("o-acme", "?minimumLifetime=900"),
        [400] = edge => edge.SendAsync(Requests.CredentialsPath("o-acme") + ";a=b", edge.World.Token("o-acme")),
        [401] = edge => edge.SendAsync(Requests.CredentialsPath("o-acme"), "no.token"),
        [403] = edge => edge.SendAsync(Requests.CredentialsPath("o-globex"), edge.World.Token("o-acme")),
        [405] = edge => edge.SendAsync(Requests.CredentialsPath("o-acme"), edge.World.Token("o-acme"), "POST"),
        [421] = async edge => await SniGateway.SendAsync(
            await SniGateway.StartAsync(edge.World), "b.example", "a.example", Requests.CredentialsPath("o-acme")),
        [422] = edge => edge.Gateway.VendAsync("o-acme", "?minimumLifetime=many"),
        [429] = async edge =>
        {
            await edge.SendAsync("/limited" + Requests.CredentialsPath("o-acme"), edge.World.Token("o-acme"));
            return await edge.SendAsync("/limited" + Requests.CredentialsPath("o-acme"), edge.World.Token("o-acme"));
        },
        [500] = edge => edge.Gateway.VendAsync("o-throws"),
        [503] = async edge =>
        {
            using var fault = edge.World.Aws.Inject(AwsFault.HttpStatus(500), "AssumeRole");
            return await edge.Gateway.VendAsync("o-down");
        },
        [504] = async edge =>
        {
            using var fault = edge.World.Aws.Inject(AwsFault.Hang(), "AssumeRole");
            return await edge.SendAsync("/timed" + Requests.CredentialsPath("o-slow"), edge.World.Token("o-slow"));
        },
        [508] = edge => edge.SendAsync(Requests.CredentialsPath("o-acme"), edge.World.Token("o-acme"), change: request =>
            request.Headers.TryAddWithoutValidation("Via", $"1.1 {edge.Gateway.Services.GetRequiredService<GatewayName>()}")),
    };

    public static TheoryData<int> Statuses => [.. s_requests.Keys];

    [Theory]
    [MemberData(nameof(Statuses))]
    public async Task A_response_is_as_documented(int status)
    {
        var document = await platform.DocumentAsync();

        var response = await s_requests[status](platform);

        Assert.True(response.Status == status, $"{response.Status} {response.Body}");
        var documented = DocumentedOf(document, status);
        Assert.Superset(s_alwaysThere, HasHeaders(document, documented, response, static header => (bool?)header["required"] == true));
        var (contentType, content) = Assert.Single(documented["content"]!.AsObject());
        Assert.Equal(contentType, response.ContentHeaders.ContentType?.ToString());
        IsValid(Resolve(document, content!["schema"]!), JsonNode.Parse(response.Body));
        if (status != 200) Assert.True(JsonNode.DeepEquals(content["example"], JsonNode.Parse(response.Body)), response.Body);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(429)]
    public async Task A_route_with_a_limit_describes_it_as_documented(int status)
    {
        var document = await platform.DocumentAsync();

        var response = status == 200
            ? await platform.SendAsync("/hourly" + Requests.CredentialsPath("o-acme"), platform.World.Token("o-acme"))
            : await s_requests[429](platform);

        Assert.Equal(status, response.Status);
        Assert.Superset(s_ofLimits, HasHeaders(document, DocumentedOf(document, status), response, static _ => true));
    }

    [Fact]
    public async Task Every_documented_status_is_among_them_on_every_credential_route()
    {
        var document = await platform.DocumentAsync();

        foreach (var path in (string[])[Template, "/limited" + Template, "/hourly" + Template, "/timed" + Template])
            Assert.Equal(
                s_requests.Keys.Select(status => $"{status}"), document["paths"]![path]!["get"]!["responses"]!.AsObject().Select(response => response.Key));
    }

    [Fact]
    public async Task Examples_meet_their_schemas()
    {
        var document = await platform.DocumentAsync();

        foreach (var (_, response) in document["paths"]![Template]!["get"]!["responses"]!.AsObject())
        {
            var content = Resolve(document, response!)["content"]!["application/json"]!;
            IsValid(Resolve(document, content["schema"]!), content["example"]);
        }
    }

    [Fact]
    public async Task Parameters_are_those_that_the_route_accepts()
    {
        var parameters = (await platform.DocumentAsync())["paths"]![Template]!["get"]!["parameters"]!.AsArray().ToDictionary(item => (string)item!["name"]!);

        Assert.Equal(["organizationId", "minimumLifetime"], parameters.Keys);
        IsValid(parameters["organizationId"]!["schema"]!, "o-acme");
        foreach (var malformed in (string[])["acme", "o-", "o-a-b", "o-a/b"])
            Assert.False(Evaluate(parameters["organizationId"]!["schema"]!, malformed).IsValid, malformed);
    }

    [Fact]
    public async Task Callers_authenticate_by_a_token_or_by_a_key_in_the_configured_header()
    {
        var document = await platform.DocumentAsync();

        Assert.Equal("3.1", ((string)document["openapi"]!)[..3]);
        Assert.Equal("""[{"Bearer":[]},{"ApiKey":[]}]""", document["security"]!.ToJsonString());
        var schemes = document["components"]!["securitySchemes"]!;
        Assert.Equal(("http", "bearer"), ((string?)schemes["Bearer"]!["type"], (string?)schemes["Bearer"]!["scheme"]));
        Assert.Equal(("apiKey", "header", "X-Robot-Key"), (
            (string?)schemes["ApiKey"]!["type"], (string?)schemes["ApiKey"]!["in"], (string?)schemes["ApiKey"]!["name"]));
    }

    [Fact]
    public async Task Its_server_is_the_public_listener() => Assert.Equal(
        platform.Gateway.Url, (string?)(await platform.DocumentAsync())["servers"]![0]!["variables"]!["gateway"]!["default"]);

    private static JsonNode DocumentedOf(JsonNode document, int status) =>
        Resolve(document, document["paths"]![Template]!["get"]!["responses"]![$"{status}"]!);

    // Returns the names of those that were expected.
    private static HashSet<string> HasHeaders(JsonNode document, JsonNode documented, Response response, Func<JsonNode, bool> isExpected)
    {
        var expected = new HashSet<string>();
        foreach (var (name, reference) in documented["headers"]!.AsObject())
        {
            var header = Resolve(document, reference!);
            if (!isExpected(header)) continue;
            expected.Add(name);
            Assert.True(response.Headers.TryGetValues(name, out var values) || response.ContentHeaders.TryGetValues(name, out values), $"{name} is missing");
            var isNumber = (string?)header["schema"]!["type"] == "integer";
            IsValid(header["schema"]!, isNumber ? JsonNode.Parse(values.Single()) : JsonValue.Create(values.Single()));
        }

        return expected;
    }

    private static JsonNode Resolve(JsonNode document, JsonNode node) =>
        (string?)node["$ref"] is { } reference ? reference.Split('/')[1..].Aggregate(document, static (at, name) => at[name]!) : node;

    private static void IsValid(JsonNode schema, JsonNode? value)
    {
        var result = Evaluate(schema, value);
        Assert.True(result.IsValid, $"{value} {JsonSerializer.Serialize(result)}");
    }

    private static EvaluationResults Evaluate(JsonNode schema, JsonNode? value) => JsonSchema.FromText(schema.ToJsonString()).Evaluate(
        JsonSerializer.SerializeToElement(value), new EvaluationOptions { OutputFormat = OutputFormat.List });

    public sealed class Edge : PlatformFixture
    {
        public async Task<JsonNode> DocumentAsync() => (await World.Client.GetDocumentAsync(Gateway));

        protected override void Change(JsonObject settings)
        {
            const string Module = """{ "Module": "IotCredentials" }""";
            settings.Set("Authentication:ApiKeys", """{ "Header": "X-Robot-Key" }""")
                .Set("RateLimiting:Policies:Once", """{ "Algorithm": "FixedWindow", "PartitionBy": "Route", "PermitLimit": 1, "Window": "01:00:00" }""")
                .Set("RateLimiting:Policies:Hourly", """{ "Algorithm": "FixedWindow", "PartitionBy": "Route", "PermitLimit": 100, "Window": "01:00:00" }""")
                .Set("ReverseProxy:Routes:hourly", $$"""
                    { "Match": { "Path": "/hourly{{Template}}" }, "AuthorizationPolicy": "OrganizationMember", "RateLimiterPolicy": "Hourly", "Metadata": {{Module}} }
                    """)
                .Set("ReverseProxy:Routes:limited", $$"""
                    { "Match": { "Path": "/limited{{Template}}" }, "AuthorizationPolicy": "OrganizationMember", "RateLimiterPolicy": "Once", "Metadata": {{Module}} }
                    """)
                .Set("ReverseProxy:Routes:timed", $$"""
                    { "Match": { "Path": "/timed{{Template}}" }, "AuthorizationPolicy": "OrganizationMember", "Timeout": "00:00:01", "Metadata": {{Module}} }
                    """);
        }

        protected override void Replace(IServiceCollection services) => services.AddSingleton<IAuthorizationHandler, ThrowingHandler>();
    }
}
