using System.Text.Json.Nodes;
using Testing;
using Xunit;

namespace Gateway.Tests.ApiReference;

/// <summary>Reads the document of a running gateway, and serves those of services.</summary>
internal static class ApiDocuments
{
    public static async Task<JsonNode> GetDocumentAsync(this HttpClient client, RunningGateway gateway)
    {
        var response = await client.SendAsync(gateway.ManagementUrl + "/openapi.json");
        Assert.Equal((200, "application/json"), (response.Status, response.ContentHeaders.ContentType?.ToString()));
        return JsonNode.Parse(response.Body)!;
    }

    /// <summary>A service that sends a document for whatever it is asked.</summary>
    public static StubTcpServer Serve(string document, string status = "200 OK") =>
        new($"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {document.Length}\r\n\r\n{document}");

    /// <summary>Adds a route with a cluster whose service has a document at a port.</summary>
    public static JsonObject Documented(this JsonObject settings, string cluster, string path, int port, string more = "{}")
    {
        var route = JsonNode.Parse(more)!.AsObject();
        route["ClusterId"] = cluster;
        return settings.Route(cluster, path, route.ToJsonString()).Set($"ReverseProxy:Clusters:{cluster}", $$"""
            {
              "Destinations": { "a": { "Address": "http://127.0.0.1:{{port}}/" } },
              "Metadata": { "OpenApi": "http://127.0.0.1:{{port}}/openapi.json" }
            }
            """);
    }
}
