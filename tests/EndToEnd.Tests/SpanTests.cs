using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>The spans of a request, as a collector receives them and as docs/traces.md shows them.</summary>
public sealed partial class SpanTests
{
    private static readonly string[] s_shown = ["proxy.destination_id", "http.response.status_code", "error.type"];

    [Fact]
    public async Task A_vend_that_asks_AWS_has_the_spans_that_the_documentation_shows()
    {
        await using var collector = await SpanCollector.StartAsync();
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(environment: collector.EnvironmentVariables);

        Assert.Equal(200, (await world.Client.SendAsync(gateway.Url + Requests.CredentialsPath("o-acme"), world.Token("o-acme"))).Status);

        await IsDocumentedAsync("vend", collector, "/organizations/o-acme/iot-endpoint-and-credentials");
    }

    [Fact]
    public async Task A_forwarded_request_that_was_tried_twice_has_the_spans_that_the_documentation_shows()
    {
        await using var collector = await SpanCollector.StartAsync();
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayProcessAsync(
            settings =>
            {
                settings["ReverseProxy"]!["Routes"]!["organizations"]!["Metadata"] = new JsonObject { ["Retries"] = "1" };
                settings["ReverseProxy"]!["Clusters"]!["organizations"] = JsonNode.Parse($$"""
                    {
                      "LoadBalancingPolicy": "FirstAlphabetical",
                      "Destinations": {
                        "a": { "Address": "http://127.0.0.1:{{FreePort.Find()}}" }, "b": { "Address": "{{world.Downstream.Url}}" } }
                    }
                    """);
            },
            collector.EnvironmentVariables);

        Assert.Equal(200, (await world.Client.SendAsync($"{gateway.Url}/organizations/o-acme/devices", world.Token("o-acme"))).Status);

        await IsDocumentedAsync("retry", collector, "/organizations/o-acme/devices");
    }

    private static async Task IsDocumentedAsync(string name, SpanCollector collector, string path)
    {
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "traces.md"));
        var documented = Block().Matches(page).Single(block => block.Groups["name"].Value == name).Groups["tree"].Value.TrimEnd();
        string Tree()
        {
            var trace = collector.Spans.FirstOrDefault(span => span.Attributes.GetValueOrDefault("url.path") == path)?.Trace;
            return string.Join('\n', ReceivedSpan.Tree([.. collector.Spans.Where(span => span.Trace == trace)], s_shown));
        }

        await Eventually.IsTrueAsync(() => Tree() == documented, Tree);
    }

    [GeneratedRegex(@"<!-- (?<name>\w+) -->\n```text\n(?<tree>.+?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
