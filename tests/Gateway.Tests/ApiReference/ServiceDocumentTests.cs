using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.ApiReference;

/// <summary>The edge's document has the paths of services that routes expose. A service that fails costs no more than its own paths.</summary>
public sealed class ServiceDocumentTests(PlatformFixture platform) : IClassFixture<PlatformFixture>
{
    private const string CredentialsPath = "/organizations/{organizationId}/iot-endpoint-and-credentials";

    private const string Operation = """{ "responses": { "200": { "description": "done" } } }""";

    private World World => platform.World;

    public static TheoryData<string, string, string> Unusable => new()
    {
        { "no JSON", "nonsense", "it is not JSON" },
        { "YAML", "openapi: 3.1.0\npaths: {}", "it is not JSON" },
        { "a page", "<html></html>", "it is not JSON" },
        { "a list", "[]", "it is not a JSON object" },
        { "no document", "{}", "it is not an OpenAPI document of version 3" },
        { "version 2", """{ "swagger": "2.0", "paths": {} }""", "it is not an OpenAPI document of version 3" },
        { "a version that is a number", """{ "openapi": 3.1 }""", "it is not an OpenAPI document of version 3" },
        { "a member twice", """{ "openapi": "3.1.0", "paths": {}, "paths": {} }""", "has a member twice" },
        { "deep", Document("/things", $$"""{ "x-deep": {{new string('[', 200)}}{{new string(']', 200)}} }"""), "nested deeper" },
        { "too long", Document("/things", $$"""{ "x-long": "{{new string('x', 1024 * 1024)}}" }"""), "it is longer than 1024 KiB" },
        { "a file", Document("/things", Responding("""{ "$ref": "file:///etc/passwd" }""")), "$ref to something else" },
        { "an address", Document("/things", Responding("""{ "$ref": "http://127.0.0.1:1/secret.json#/components/schemas/A" }""")), "$ref to something else" },
        { "a part", Document("/things", Responding("""{ "$ref": "#/paths/~1things" }""")), "$ref to something else" },
        { "no component", Document("/things", Responding("""{ "$ref": "#/components/schemas/Missing" }""")), "$ref to a component that it does not have" },
        { "a schema that is itself", Components("schemas", """ "A": { "$ref": "#/components/schemas/A" } """), "leads back to it" },
        { "schemas that are each other", Components("schemas", """
            "A": { "$ref": "#/components/schemas/B" }, "B": { "$ref": "#/components/schemas/A", "title": "b" }
            """), "leads back to it" },
        { "a parameter that is itself", Components("parameters", """ "A": { "$ref": "#/components/parameters/A" } """), "leads back to it" },
        { "a response that is itself", Components("responses", """ "A": { "$ref": "#/components/responses/A" } """), "leads back to it" },
        { "a request body that is itself", Components("requestBodies", """ "A": { "$ref": "#/components/requestBodies/A" } """), "leads back to it" },
        { "a header that is itself", Components("headers", """ "A": { "$ref": "#/components/headers/A" } """), "leads back to it" },
        { "an example that is itself", Components("examples", """ "A": { "$ref": "#/components/examples/A" } """), "leads back to it" },
        { "a number that is none", Document("/things", Responding("""{ "type": "integer", "exclusiveMinimum": true }""")),
            "it is not a valid OpenAPI document" },
    };

    [Theory]
    [MemberData(nameof(Unusable))]
    public async Task A_document_that_cannot_be_used_is_left_out_and_logged(string name, string document, string cause)
    {
        await using var service = ApiDocuments.Serve(document);
        await using var other = ApiDocuments.Serve(Document("/others", Operation));
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis()
            .Documented("things", "/things/{**rest}", service.Port).Documented("others", "/others/{**rest}", other.Port));

        var paths = await PathsAsync(gateway);

        Assert.True(paths.SequenceEqual([CredentialsPath, "/others"]), $"{name}: {string.Join(' ', paths)}");
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "leaves out the paths of cluster things"));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, cause));
    }

    public static TheoryData<string, string> Odd => new()
    {
        { "a server without an address of HTTP", Whole("\"servers\": [{ \"url\": \"urn:things\" }],", "") },
        { "an extension among the paths", Whole("", "\"x-note\": { \"get\": {} },") },
        // As it is on the wire: the mark is three bytes of UTF-8.
        { "a byte-order mark", "\u00EF\u00BB\u00BF" + Whole("", "") },
        { "parameters that get deeper", Whole("", "", $"\"parameters\": [{{ \"in\": \"query\", \"name\": \"a\", \"schema\": {Nested(57)} }}],") },
    };

    [Theory]
    [MemberData(nameof(Odd))]
    public async Task A_document_that_is_odd_is_shown_and_keeps_no_other_out(string name, string document)
    {
        await using var service = ApiDocuments.Serve(document);
        await using var other = ApiDocuments.Serve(Document("/others", Operation));
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis()
            .Documented("things", "/things/{**rest}", service.Port).Documented("others", "/others/{**rest}", other.Port));

        var paths = (await PathsAsync(gateway)).Order(StringComparer.Ordinal).ToList();

        Assert.True(paths.SequenceEqual([CredentialsPath, "/others", "/things"]), $"{name}: {string.Join(' ', paths)} {gateway.Log.Text}");
    }

    [Fact]
    public async Task A_property_that_is_called_discriminator_keeps_its_reference()
    {
        var operation = Responding("""{ "type": "object", "properties": { "discriminator": { "$ref": "#/components/schemas/Error" } } }""");
        await using var service = ApiDocuments.Serve($$"""
            {
              "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": { "/things": { "get": {{operation}} } },
              "components": { "schemas": { "Error": { "type": "string" } } }
            }
            """);
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis().Documented("things", "/things/{**rest}", service.Port));

        var document = (await World.Client.GetDocumentAsync(gateway)).ToJsonString();

        Assert.Contains("\"discriminator\":{\"$ref\":\"#/components/schemas/things.Error\"}", document, StringComparison.Ordinal);
        Assert.Contains("\"things.Error\":{\"type\":\"string\"}", document, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Schemas_that_are_Booleans_mean_what_they_mean_and_names_of_other_documents_are_left_out()
    {
        var operation = Responding("""
            {
              "$id": "https://elsewhere.example/a", "$dynamicRef": "https://elsewhere.example/b", "type": "object", "additionalProperties": false,
              "properties": { "any": true, "none": false, "$id": { "type": "string" }, "schema": true, "one": { "anyOf": [true, { "type": "string" }] } }
            }
            """);
        await using var service = ApiDocuments.Serve($$"""
            {
              "openapi": "3.1.0", "info": { "title": "t", "version": "1" },
              "paths": {
                "/things": {
                  "parameters": [{
                    "in": "query", "name": "q", "schema": { "$ref": "#/components/schemas/A" },
                    "examples": { "e": { "externalValue": "https://elsewhere.example/c", "summary": "s" } }
                  }],
                  "get": {{operation}}
                }
              },
              "components": { "schemas": { "A": true } }
            }
            """);
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis().Documented("things", "/things/{**rest}", service.Port));

        var document = await World.Client.GetDocumentAsync(gateway);

        Assert.True(document["paths"]!["/things"] is not null, gateway.Log.Text);
        var get = document["paths"]!["/things"]!["get"]!;
        var schema = get["responses"]!["200"]!["content"]!["application/json"]!["schema"]!;
        Assert.DoesNotContain("elsewhere", document.ToJsonString(), StringComparison.Ordinal);
        Assert.Equal("{}", document["components"]!["schemas"]!["things.A"]!.ToJsonString());
        Assert.Equal("s", (string?)get["parameters"]![0]!["examples"]!["e"]!["summary"]);
        Assert.Equal(
            """{"any":{},"none":{"not":{}},"$id":{"type":"string"},"schema":{},"one":{"anyOf":[{},{"type":"string"}]}}""",
            schema["properties"]!.ToJsonString());
        Assert.False((bool?)schema["additionalProperties"]);
    }

    private static string Nested(int levels) => levels == 0 ? "{}" : $"{{ \"type\": \"array\", \"items\": {Nested(levels - 1)} }}";

    private static string Whole(string members, string paths, string item = "") => $$"""
        { "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, {{members}} "paths": { {{paths}} "/things": { {{item}} "get": {{Operation}} } } }
        """;

    [Fact]
    public async Task A_service_that_does_not_respond_is_left_out_after_5_seconds()
    {
        await using var service = new StubTcpServer(static (_, ended) => Task.Delay(Timeout.Infinite, ended));
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis().Documented("things", "/things/{**rest}", service.Port));

        Assert.Equal([CredentialsPath], await PathsAsync(gateway));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "no response within 5 s"));
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var elsewhere = ApiDocuments.Serve(Document("/things", Operation));
        await using var service = ApiDocuments.Serve("", $"302 Found\r\nLocation: http://127.0.0.1:{elsewhere.Port}/");
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis().Documented("things", "/things/{**rest}", service.Port));

        Assert.Equal([CredentialsPath], await PathsAsync(gateway));
        Assert.Empty(elsewhere.Received);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "its status is 302"));
    }

    [Fact]
    public async Task It_is_read_once_a_minute_and_a_failure_is_logged_when_it_begins_and_when_it_ends()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using var world = await World.StartAsync(time);
        var status = "500 Broken";
        var received = 0;
        await using var service = new StubTcpServer(async (stream, ended) =>
        {
            var request = new byte[4096];
            while (await stream.ReadAsync(request, ended) > 0)
            {
                received++;
                var document = Document("/things", Operation);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Length: {document.Length}\r\n\r\n{document}"), ended);
            }
        });
        var gateway = await world.StartGatewayAsync(settings => settings.WithoutRedis().Documented("things", "/things/{**rest}", service.Port));

        var counts = new List<(int Paths, int Received)>();
        foreach (var (next, wait) in ((string, int)[])[("500 Broken", 0), ("500 Broken", 59), ("500 Broken", 1), ("200 OK", 60), ("200 OK", 60)])
        {
            status = next;
            time.Advance(TimeSpan.FromSeconds(wait));
            await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => PathsAsync(gateway)));
            counts.Add(((await PathsAsync(gateway)).Count, received));
        }

        Assert.Equal([(1, 1), (1, 1), (1, 2), (2, 3), (2, 4)], counts);
        Assert.Equal(1, gateway.Log.Count(LogLevel.Warning, "leaves out the paths of cluster things"));
        Assert.Equal(1, gateway.Log.Count(LogLevel.Information, "has the paths of cluster things again"));
    }

    [Theory]
    [InlineData(2000, 120, true)]
    [InlineData(2000, 130, false)]
    public async Task A_service_with_too_many_operations_and_routes_is_left_out_and_logged(int operations, int routes, bool isShown)
    {
        await using var service = ApiDocuments.Serve($$"""
            {
              "openapi": "3.1.0", "info": { "title": "t", "version": "1" },
              "paths": { {{string.Join(',', Enumerable.Range(0, operations).Select(static i => $"\"/things/{i}\": {{ \"get\": {Operation} }}"))}} }
            }
            """);
        await using var other = ApiDocuments.Serve(Document("/others", Operation));
        var gateway = await World.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis().Documented("things", "/things/{**rest}", service.Port).Documented("z", "/others/{**rest}", other.Port);
            for (var i = 1; i < routes; i++) settings.Route($"r{i}", $"/r{i}/{{**rest}}", """{ "ClusterId": "things" }""");
        });

        var paths = await PathsAsync(gateway);

        Assert.Equal(isShown ? operations + 2 : 2, paths.Count);
        Assert.Contains("/others", paths);
        Assert.Equal(isShown ? 0 : 1, gateway.Log.Count(LogLevel.Warning, $"it has {operations} operations on {routes} routes"));
    }

    [Fact]
    public async Task Only_operations_that_a_route_passes_on_are_shown_under_the_path_of_clients()
    {
        await using var service = ApiDocuments.Serve($$"""
            {
              "openapi": "3.0.3", "info": { "title": "t", "version": "1" }, "servers": [{ "url": "http://things.internal/v1/" }],
              "paths": {
                "/things": { "get": {{Operation}}, "post": {{Operation}}, "trace": {{Operation}} },
                "/things/{id}": { "get": {{Operation}} },
                "/numbers/{number}": { "get": {{Operation}} },
                "/admin": { "get": {{Operation}} },
                "/things/../admin": { "get": {{Operation}} },
                "/things?all=1": { "get": {{Operation}} },
                "/things/x{": { "get": {{Operation}} },
                "/things/{id:int}": { "get": {{Operation}} },
                "/things/{**rest}": { "get": {{Operation}} },
                "//things": { "get": {{Operation}} },
                "/shadowed": { "get": {{Operation}} }
              }
            }
            """);
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis()
            .Documented("things", "/api/things/{**rest}", service.Port, """
                { "Match": { "Methods": ["GET"] }, "Transforms": [{ "PathRemovePrefix": "/api" }, { "PathPrefix": "/v1" }] }
                """)
            .Route("numbers", "/v1/numbers/{number:int}", """{ "ClusterId": "things" }""")
            .Route("all", "/v1/{**rest}", """{ "ClusterId": "things", "Match": { "Methods": ["DELETE"] } }""")
            .Route("shadowed", "/v1/shadowed", """{ "ClusterId": "organizations" }"""));

        var paths = await PathsAsync(gateway);

        Assert.Equal(["/api/things", "/api/things/{id}", CredentialsPath, "/v1/numbers/{number}"], paths.Order(StringComparer.Ordinal));
        var document = await World.Client.GetDocumentAsync(gateway);
        Assert.Equal(["get"], document["paths"]!["/api/things"]!.AsObject().Select(member => member.Key));
    }

    [Fact]
    public async Task A_service_cannot_replace_what_is_the_gateways_or_another_services()
    {
        var document = $$$"""
            {
              "openapi": "3.1.0", "info": { "title": "theirs", "version": "9" }, "security": [], "servers": [{ "url": "/" }],
              "paths": {
                "/organizations/{id}/iot-endpoint-and-credentials": { "get": { "responses": {} }, "post": { "responses": {} } },
                "/WHO/shared": {
                  "servers": [{ "url": "https://attacker.example" }],
                  "get": {
                    "operationId": "getIotEndpointAndCredentials", "security": [], "servers": [{ "url": "https://attacker.example" }],
                    "callbacks": { "c": { "http://x": { "post": {{{Operation}}} } } },
                    "responses": {
                      "200": {
                        "description": "done", "links": { "l": { "operationId": "hidden" } },
                        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } } },
                      "401": { "description": "theirs" } } } }
              },
              "components": {
                "schemas": {
                  "Error": { "title": "WHO", "properties": { "next": { "$ref": "#/components/schemas/Error" }, "more": { "$ref": "#/components/schemas/B" } } },
                  "B": { "$ref": "#/components/schemas/A" }, "A": { "not": { "$ref": "#/components/schemas/B" } },
                  "Unused": { "type": "string" } },
                "securitySchemes": { "Bearer": { "type": "http", "scheme": "basic" } }
              }
            }
            """;
        await using var a = ApiDocuments.Serve(document.Replace("WHO", "a", StringComparison.Ordinal));
        await using var b = ApiDocuments.Serve(document.Replace("WHO", "b", StringComparison.Ordinal));
        await using var both = ApiDocuments.Serve(document.Replace("WHO", "a", StringComparison.Ordinal));
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis()
            .Documented("a.x", "/a/{**rest}", a.Port).Documented("b", "/b/{**rest}", b.Port).Documented("c", "/c/{**rest}", both.Port)
            .Route("organizations", "/organizations/{organizationId}/{**rest}", """{ "ClusterId": "b", "AuthorizationPolicy": "OrganizationMember" }"""));
        var without = await World.StartGatewayAsync(settings => settings.WithoutRedis());

        var (merged, own) = (await World.Client.GetDocumentAsync(gateway), await World.Client.GetDocumentAsync(without));

        foreach (var member in (string[])["info", "security", "tags"]) Assert.True(JsonNode.DeepEquals(own[member], merged[member]), member);
        Assert.True(JsonNode.DeepEquals(own["paths"]![CredentialsPath], merged["paths"]![CredentialsPath]));
        foreach (var (kind, components) in own["components"]!.AsObject())
            foreach (var (name, component) in components!.AsObject())
                Assert.True(JsonNode.DeepEquals(component, merged["components"]![kind]![name]), name);
        Assert.Equal([CredentialsPath, "/a/shared", "/b/shared"], merged["paths"]!.AsObject().Select(path => path.Key));
        Assert.Equal(
            ["Error", "IotEndpointAndCredentials", "a_x.A", "a_x.B", "a_x.Error", "b.A", "b.B", "b.Error"],
            merged["components"]!["schemas"]!.AsObject().Select(schema => schema.Key).Order(StringComparer.Ordinal));
        Assert.Equal("a", (string?)merged["components"]!["schemas"]!["a_x.Error"]!["title"]);
        var item = merged["paths"]!["/a/shared"]!.AsObject();
        Assert.Equal(["get"], item.Select(member => member.Key));
        var operation = item["get"]!.AsObject();
        Assert.Equal("a_x.getIotEndpointAndCredentials", (string?)operation["operationId"]);
        Assert.Equal(["operationId", "responses"], operation.Select(member => member.Key).Order());
        Assert.Equal("#/components/schemas/a_x.Error", (string?)operation["responses"]!["200"]!["content"]!["application/json"]!["schema"]!["$ref"]);
        Assert.Null(operation["responses"]!["200"]!["links"]);
        Assert.Equal("theirs", (string?)operation["responses"]!["401"]!["description"]);
        Assert.Equal("#/components/responses/TooManyRequests", (string?)operation["responses"]!["429"]!["$ref"]);
        Assert.Equal("#/components/responses/RequestTimeout", (string?)operation["responses"]!["408"]!["$ref"]);
        // Only a path with an organization can be of a malformed one.
        Assert.Null(operation["responses"]!["422"]);
        Assert.DoesNotContain("attacker", merged.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_anonymous_route_needs_no_token_in_the_document_and_a_chain_of_components_has_no_limit()
    {
        var chain = string.Join(',', Enumerable.Range(0, 8000).Select(n => $$"""
            "S{{n}}": { "not": { "$ref": "#/components/schemas/S{{(n + 1) % 8000}}" } }
            """));
        var paths = $$"""{ "/things": { "get": {{Responding("""{ "$ref": "#/components/schemas/S0" }""")}} } }""";
        await using var service = ApiDocuments.Serve($$$"""
            { "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": {{{paths}}}, "components": { "schemas": { {{{chain}}} } } }
            """);
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis()
            .Documented("things", "/things/{**rest}", service.Port, """{ "AuthorizationPolicy": "Anonymous" }"""));

        var document = await World.Client.GetDocumentAsync(gateway);

        var operation = document["paths"]!["/things"]!["get"]!;
        Assert.Empty(operation["security"]!.AsArray());
        Assert.Null(operation["responses"]!["401"]);
        Assert.Equal(8002, document["components"]!["schemas"]!.AsObject().Count);
    }

    [Fact]
    public async Task A_reload_shows_at_once()
    {
        await using var service = ApiDocuments.Serve(Document("/things", Operation));
        var gateway = await World.StartGatewayAsync(settings => settings.WithoutRedis());
        Assert.Equal([CredentialsPath], await PathsAsync(gateway));

        await gateway.ChangeAsync(settings => settings.Documented("things", "/things/{**rest}", service.Port));
        Assert.Equal([CredentialsPath, "/things"], await PathsAsync(gateway));

        await gateway.ChangeAsync(settings => settings.Documented("things", "/other/{**rest}", service.Port));
        Assert.Equal([CredentialsPath], await PathsAsync(gateway));
    }

    private async Task<List<string>> PathsAsync(RunningGateway gateway) =>
        [.. (await World.Client.GetDocumentAsync(gateway))["paths"]!.AsObject().Select(path => path.Key)];

    private static string Document(string path, string operation) => $$"""
        { "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": { "{{path}}": { "get": {{operation}} } } }
        """;

    private static string Components(string kind, string components) => $$"""
        {
          "openapi": "3.1.0", "info": { "title": "t", "version": "1" }, "paths": { "/things": { "get": {{Operation}} } },
          "components": { "{{kind}}": { {{components}} } }
        }
        """;

    private static string Responding(string schema) => $$$"""
        { "responses": { "200": { "description": "done", "content": { "application/json": { "schema": {{{schema}}} } } } } }
        """;
}
