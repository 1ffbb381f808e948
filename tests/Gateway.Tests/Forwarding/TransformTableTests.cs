using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>Every transform that YARP 2.3 documents, through a gateway. docs/from-yarp.md has the same table in words.</summary>
public sealed class TransformTableTests(TransformTableTests.Routes platform) : IClassFixture<TransformTableTests.Routes>
{
    // The transforms of a route; what is looked at; what is there, or null for nothing.
    private static readonly (string Transforms, string Place, string? Expected)[] s_table =
    [
        ("""{ "PathPrefix": "/api" }""", "target", "/api/t/x?q=1"),
        ("""{ "PathRemovePrefix": "/t" }""", "target", "/x?q=1"),
        ("""{ "PathSet": "/fixed" }""", "target", "/fixed?q=1"),
        ("""{ "PathPattern": "/of/{**rest}" }""", "target", "/of/x?q=1"),
        ("""{ "QueryValueParameter": "a", "Append": "b" }""", "target", "/t/x?q=1&a=b"),
        ("""{ "QueryValueParameter": "q", "Set": "b" }""", "target", "/t/x?q=b"),
        ("""{ "QueryRouteParameter": "a", "Append": "rest" }""", "target", "/t/x?q=1&a=x"),
        ("""{ "QueryRouteParameter": "q", "Set": "rest" }""", "target", "/t/x?q=x"),
        ("""{ "QueryRemoveParameter": "q" }""", "target", "/t/x"),
        ("""{ "HttpMethodChange": "GET", "Set": "POST" }""", "method", "POST"),
        ("""{ "HttpMethodChange": "PUT", "Set": "POST" }""", "method", "GET"),
        ("""{ "RequestHeadersCopy": "true" }""", "request X-Client", "sent"),
        ("""{ "RequestHeadersCopy": "false" }""", "request X-Client", null),
        ("""{ "RequestHeaderOriginalHost": "true" }""", "request Host", "edge.example.com"),
        ("""{ "RequestHeaderOriginalHost": "false" }""", "request Host", "SERVICE"),
        ("""{ "RequestHeader": "Host", "Set": "other.example.com" }""", "request Host", "other.example.com"),
        ("""{ "RequestHeader": "X-Client", "Set": "operator" }""", "request X-Client", "operator"),
        ("""{ "RequestHeader": "X-Client", "Append": "operator" }""", "request X-Client", "sent, operator"),
        ("""{ "RequestHeader": "X-Forwarded-Prefix", "Set": "/t" }""", "request X-Forwarded-Prefix", "/t"),
        ("""{ "RequestHeader": "Authorization", "Set": "Basic x" }""", "request Authorization", "Basic x"),
        ("""{ "RequestHeader": "Cookie", "Append": "a=b" }""", "request Cookie", "a=b"),
        ("""{ "RequestHeaderRouteValue": "X-Rest", "Set": "rest" }""", "request X-Rest", "x"),
        ("""{ "RequestHeaderRouteValue": "X-Client", "Append": "rest" }""", "request X-Client", "sent, x"),
        ("""{ "RequestHeaderRemove": "X-Client" }""", "request X-Client", null),
        ("""{ "RequestHeadersAllowed": "X-Client;X-Other" }""", "request X-Client", "sent"),
        ("""{ "RequestHeadersAllowed": "X-Other" }""", "request X-Client", null),
        ("""{ "RequestHeadersAllowed": "X-Forwarded-For;X-Gateway-Role;Authorization" }""", "request X-Gateway-Role", null),
        ("""{ "X-Forwarded": "Set" }""", "request X-Forwarded-For", "127.0.0.1"),
        ("""{ "X-Forwarded": "Append" }""", "request X-Forwarded-For", "127.0.0.1"),
        ("""{ "X-Forwarded": "Append" }""", "request X-Forwarded-Host", "edge.example.com"),
        ("""{ "X-Forwarded": "Remove" }""", "request X-Forwarded-For", null),
        ("""{ "X-Forwarded": "Off" }""", "request X-Forwarded-For", null),
        ("""{ "X-Forwarded": "Set", "For": "Remove" }""", "request X-Forwarded-For", null),
        ("""{ "X-Forwarded": "Remove", "Proto": "Append" }""", "request X-Forwarded-Proto", "http"),
        ("""{ "X-Forwarded": "Append", "HeaderPrefix": "X-Edge-" }""", "request X-Edge-For", "127.0.0.1"),
        ("""{ "PathRemovePrefix": "/t" }, { "RequestHeader": "X-Forwarded-Prefix", "Append": "/t" }, { "X-Forwarded": "Append" }""",
            "request X-Forwarded-Prefix", "/t"),
        ("""{ "Forwarded": "for,proto", "ForFormat": "Ip" }""", "request Forwarded", "proto=http;for=127.0.0.1"),
        ("""{ "Forwarded": "for,by,proto", "ForFormat": "Ip", "ByFormat": "None" }""", "request Forwarded", "proto=http;for=127.0.0.1"),
        ("""{ "Forwarded": "for,proto", "ForFormat": "None" }""", "request Forwarded", "proto=http"),
        ("""{ "Forwarded": "host", "Action": "Append" }""", "request Forwarded", "host=\"edge.example.com\""),
        ("""{ "Forwarded": "for", "Action": "Append" }""", "request X-Forwarded-For", null),
        ("""{ "Forwarded": "for", "Action": "Remove" }""", "request Forwarded", null),
        ("""{ "ClientCert": "X-Client-Cert" }""", "request X-Client-Cert", null),
        ("""{ "ResponseHeadersCopy": "true" }""", "response X-One", "1"),
        ("""{ "ResponseHeadersCopy": "false" }""", "response X-One", null),
        ("""{ "ResponseHeader": "X-One", "Set": "2" }""", "response X-One", "2"),
        ("""{ "ResponseHeader": "X-One", "Append": "2", "When": "Always" }""", "response X-One", "1, 2"),
        ("""{ "ResponseHeader": "X-One", "Set": "2", "When": "Failure" }""", "response X-One", "1"),
        ("""{ "ResponseHeader": "X-Request-Id", "Set": "mine" }""", "response X-Request-Id", "GATEWAY"),
        ("""{ "ResponseHeaderRemove": "X-One" }""", "response X-One", null),
        ("""{ "ResponseHeaderRemove": "X-One", "When": "Failure" }""", "response X-One", "1"),
        ("""{ "ResponseHeadersAllowed": "X-One;Transfer-Encoding" }""", "response X-One", "1"),
        ("""{ "ResponseHeadersAllowed": "X-Other" }""", "response X-One", null),
        ("""{ "ResponseTrailersCopy": "true" }""", "trailer X-Last", "9"),
        ("""{ "ResponseTrailersCopy": "false" }""", "trailer X-Last", null),
        ("""{ "ResponseTrailer": "X-Last", "Set": "8" }""", "trailer X-Last", "8"),
        ("""{ "ResponseTrailer": "X-Added", "Append": "8", "When": "Always" }""", "trailer X-Added", "8"),
        ("""{ "ResponseTrailerRemove": "X-Last" }""", "trailer X-Last", null),
        ("""{ "ResponseTrailersAllowed": "X-Last" }""", "trailer X-Last", "9"),
        ("""{ "ResponseTrailersAllowed": "X-Other" }""", "trailer X-Last", null),
    ];

    public static TheoryData<int> Rows => [.. Enumerable.Range(0, s_table.Length)];

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A5_a_transform_that_YARP_documents_works(int row)
    {
        var (transforms, place, expected) = s_table[row];

        if (place.StartsWith("trailer ", StringComparison.Ordinal))
        {
            // Kestrel sends trailers over HTTP/2 alone.
            Assert.Equal((transforms, expected), (transforms, await TrailerAsync(row, place.Split(' ')[1])));
            return;
        }

        var answer = await RawHttp.ExchangeAsync(platform.Http1,
            $"GET /t{row}/x?q=1 HTTP/1.1\r\nHost: edge.example.com\r\nX-Client: sent\r\nX-Gateway-Role: forged\r\nX-Forwarded-For: 6.6.6.6\r\n"
                + $"{(transforms.Contains("HeaderPrefix", StringComparison.Ordinal) ? "X-Edge-For: 6.6.6.6\r\n" : "")}X-Client-Cert: forged\r\n"
                + "Forwarded: for=6.6.6.6\r\nTE: trailers\r\nConnection: close\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
        var service = new Uri(platform.Service.Url).Authority;
        var head = platform.Service.Heads.Single(head => head.Contains($"X-Row: {row}\r\n", StringComparison.Ordinal));
        var parts = place.Split(' ');
        var found = parts[0] switch
        {
            "target" => head.Split(' ')[1],
            "method" => head.Split(' ')[0],
            "request" => Value(head.Split("\r\n\r\n")[0], parts[1]),
            _ => Value(answer.Split("\r\n\r\n")[0], parts[1]),
        };
        if (expected == "GATEWAY") Assert.Equal(Value(head, "X-Request-Id"), found);
        else Assert.Equal(
            (transforms, expected?.Replace("SERVICE", service, StringComparison.Ordinal)),
            (transforms, found?.Replace($"/t{row}", "/t", StringComparison.Ordinal)));
        Assert.DoesNotContain("forged", head, StringComparison.Ordinal);
        Assert.DoesNotContain("6.6.6.6", head, StringComparison.Ordinal);
    }

    private async Task<string?> TrailerAsync(int row, string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{platform.Http2}/t{row}/x")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await platform.World.Client.SendAsync(request);
        await response.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return response.TrailingHeaders.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
    }

    private static string? Value(string lines, string name) =>
        lines.Split("\r\n")
            .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))
            .Select(line => line[(name.Length + 1)..].Trim())
            .ToArray() is { Length: > 0 } values
            ? string.Join(", ", values)
            : null;

    public sealed class Routes : PlatformFixture
    {
        internal RawService Service { get; } = new(static _ =>
            "HTTP/1.1 200 OK\r\nX-One: 1\r\nX-Request-Id: service\r\nTrailer: X-Last\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                + "1\r\na\r\n0\r\nX-Last: 9\r\n\r\n");

        public string Http1 => Address(0);

        public string Http2 => Address(1);

        protected override void Change(JsonObject settings)
        {
            settings.Remove("Urls");
            settings.Set("Kestrel:Endpoints", """{ "A": { "Url": "http://127.0.0.1:0" }, "B": { "Url": "http://127.0.0.1:0", "Protocols": "Http2" } }""");
            settings.Set("ReverseProxy:Clusters:service", $$"""{ "Destinations": { "a": { "Address": "{{Service.Url}}" } } }""");
            for (var row = 0; row < s_table.Length; row++)
            {
                var transforms = s_table[row].Transforms.Replace("\"/t\"", $"\"/t{row}\"", StringComparison.Ordinal);
                settings.Route($"t{row}", $"/t{row}/{{**rest}}",
                    """{ "ClusterId": "service", "AuthorizationPolicy": "Anonymous","""
                        + $$""" "Transforms": [{{transforms}}, { "RequestHeader": "X-Row", "Set": "{{row}}" }] }""");
            }
        }

        private string Address(int index) => Gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(index);
    }
}
