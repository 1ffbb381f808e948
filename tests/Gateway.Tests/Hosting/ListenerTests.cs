using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;

namespace Gateway.Tests.Hosting;

/// <summary>Which listener a connection came in on decides what it reaches; nothing that a client writes does.</summary>
public sealed class ListenerTests(ListenerTests.BehindProxy platform) : IClassFixture<ListenerTests.BehindProxy>
{
    public static TheoryData<string, string> Spoofs
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (var path in (string[])["/metrics", "/health/ready", "/organizations/o-acme/credentials"])
            {
                foreach (var spoof in (string[])["Host", "absolute form", "X-Forwarded-Host", "X-Forwarded-Port", "X-Original-URL", "Forwarded"])
                    data.Add(path, spoof);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Spoofs))]
    public async Task From_the_edge_nobody_gets_to_management(string path, string spoof)
    {
        var answer = await SendAsync(platform.Gateway.Url, platform.Gateway.ManagementUrl, path, spoof);

        // The service's own 200 where a route of the edge has such a path; management's would be text, or 204.
        Assert.Contains(answer.Status, (int[])[200, 400, 403, 404]);
        if (answer.Status == 200) Assert.Contains("\"target\"", answer.Body, StringComparison.Ordinal);
        else Assert.Contains("\"error\"", answer.Body is "" ? "\"error\"" : answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host")]
    [InlineData("absolute form")]
    [InlineData("X-Forwarded-Host")]
    [InlineData("X-Original-URL")]
    [InlineData("Forwarded")]
    public async Task From_management_nobody_gets_to_the_edge(string spoof)
    {
        foreach (var path in (string[])[Requests.CredentialsPath("o-acme"), "/organizations/o-acme/spoofed", "/open/spoofed"])
        {
            var answer = await SendAsync(platform.Gateway.ManagementUrl, platform.Gateway.Url, path, spoof);

            // A server that does not know X-Original-URL takes the request for the console, which is at the root.
            if (answer.Status == 200) Assert.StartsWith("<!doctype html>", answer.Body, StringComparison.OrdinalIgnoreCase);
            else Assert.Contains(answer.Status, (int[])[400, 404]);
        }

        Assert.Empty(platform.Received("/organizations/o-acme/spoofed"));
        Assert.Empty(platform.Received("/open/spoofed"));
    }

    [Fact]
    public async Task Over_HTTP_2_the_authority_decides_nothing_either()
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, platform.Http2 + "/metrics")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Host = new Uri(platform.Gateway.ManagementUrl).Authority;
        request.Headers.Add("Authorization", $"Bearer {platform.World.Token("o-acme")}");

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private Task<RawAnswer> SendAsync(string url, string other, string path, string spoof)
    {
        var (token, authority) = ($"Authorization: Bearer {platform.World.Token("o-acme")}", new Uri(other).Authority);
        return spoof switch
        {
            "Host" => RawHttp.SendAsync(url, path, "GET", token, $"Host: {authority}"),
            "absolute form" => RawHttp.SendAsync(url, other + path, "GET", token, $"Host: {authority}"),
            "Forwarded" => RawHttp.SendAsync(url, path, "GET", token, $"Forwarded: host={authority}"),
            "X-Original-URL" => RawHttp.SendAsync(url, "/", "GET", token, $"X-Original-URL: {path}", $"X-Rewrite-URL: {path}"),
            "X-Forwarded-Port" => RawHttp.SendAsync(url, path, "GET", token, $"X-Forwarded-Port: {new Uri(other).Port}"),
            _ => RawHttp.SendAsync(url, path, "GET", token, $"{spoof}: {authority}"),
        };
    }

    public sealed class BehindProxy : PlatformFixture
    {
        public string Http2 => Gateway.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Last();

        // The worst case: the client is a proxy that is believed.
        protected override void Change(JsonObject settings)
        {
            settings.Remove("Urls");
            settings
                .Set("Edge:TrustedProxies", """["127.0.0.1"]""")
                .Set("Kestrel:Endpoints:A", """{ "Url": "http://127.0.0.1:0" }""")
                .Set("Kestrel:Endpoints:B", """{ "Url": "http://127.0.0.1:0", "Protocols": "Http2" }""");
        }
    }
}
