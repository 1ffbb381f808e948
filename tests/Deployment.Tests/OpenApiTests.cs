using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Deployment.Tests;

/// <summary>The OpenAPI document of a running gateway, as a public linter reads it.</summary>
public sealed class OpenApiTests
{
    // A service's document without a mistake of its own. That of .NET 10 looks like it.
    private const string Service = """
        {
          "openapi": "3.0.4", "info": { "title": "Devices", "version": "1" }, "servers": [{ "url": "http://devices.internal/" }],
          "paths": { "/devices/{id}": {
            "parameters": [{ "$ref": "#/components/parameters/id" }],
            "get": {
              "operationId": "getDevice", "summary": "Get a device", "tags": ["Devices"], "security": [{ "token": [] }],
              "responses": { "200": {
                "description": "The device.", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Device" } } } } } } } },
          "components": {
            "parameters": { "id": { "name": "id", "in": "path", "required": true, "schema": { "type": "string" } } },
            "schemas": { "Device": { "type": "object", "properties": {
              "name": { "type": "string", "nullable": true },
              "minutes": { "type": "integer", "minimum": 0, "exclusiveMinimum": true },
              "parent": { "$ref": "#/components/schemas/Device" } } } },
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } } }
        }
        """;

    [Fact]
    public async Task A_linter_accepts_it_without_a_warning_also_with_the_paths_of_a_service()
    {
        await using var service = new StubTcpServer($"HTTP/1.1 200 OK\r\nContent-Length: {Service.Length}\r\n\r\n{Service}");
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings =>
        {
            settings["Authentication"]!["ApiKeys"] = new JsonObject();
            settings["ReverseProxy"]!["Routes"]!["devices"] = JsonNode.Parse("""
                { "ClusterId": "devices", "Match": { "Path": "/api/devices/{**rest}" }, "Transforms": [{ "PathRemovePrefix": "/api" }] }
                """);
            settings["ReverseProxy"]!["Clusters"]!["devices"] = JsonNode.Parse($$"""
                {
                  "Destinations": { "a": { "Address": "http://127.0.0.1:{{service.Port}}/" } },
                  "Metadata": { "OpenApi": "http://127.0.0.1:{{service.Port}}/openapi.json" }
                }
                """);
        });
        var document = (await world.Client.SendAsync(gateway.ManagementUrl + "/openapi.json")).Body;
        Assert.Contains("\"/api/devices/{id}\"", document, StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("openapi-").FullName;
        var file = Path.Combine(folder, "openapi.json");
        await File.WriteAllTextAsync(file, document, TestContext.Current.CancellationToken);

        // This repository states no license, and neither can the document.
        var linted = await Tool.RunAsync(
            Tool.Redocly, ["lint", file, "--extends=recommended-strict", "--skip-rule=info-license"], [KeyValuePair.Create("REDOCLY_TELEMETRY", "off")]);

        Assert.True(linted.ExitCode == 0, linted.All);
        Assert.Contains("Your API description is valid", linted.All, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }
}
