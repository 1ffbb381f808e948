using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>S17: while callers open requests without end, the process keeps file descriptors for itself and for others. Without any, it ends.</summary>
[Trait("Category", "Long")]
[Collection(LoadTests.Name)]
public sealed class FileDescriptorTests(ITestOutputHelper output)
{
    private const int MaxFiles = 1024;
    private const int Requests = 2000;
    private const int MostInFlight = 172;
    private const int MostConnectionsOfAnAddress = 100;

    [Theory]
    [InlineData("one caller over HTTP/2", 2, 1)]
    [InlineData("one caller over HTTP/1.1", 1, 1)]
    [InlineData("thirty callers over HTTP/2", 2, 30)]
    [InlineData("nobody who has a token, over HTTP/2", 2, 0)]
    public async Task S17_requests_that_wait_end_neither_the_process_nor_others(string row, int version, int callers)
    {
        await using var world = await World.StartAsync();
        var (http1, http2) = (FreePort.Find(), FreePort.Find());
        var gateway = await world.StartGatewayProcessAsync(settings => Change(settings, http1, http2), maxFiles: MaxFiles);
        Assert.Contains("is lowered to 340", gateway.Output, StringComparison.Ordinal);
        using var other = ClientFrom("127.0.0.9");
        async Task<HttpStatusCode> OtherAsync()
        {
            using var request = Request(1, http1, "/organizations/o-globex/devices", world.Token("o-globex"));
            using var response = await other.SendAsync(request);
            return response.StatusCode;
        }

        Assert.Equal(HttpStatusCode.OK, await OtherAsync());

        using var attack = new CancellationTokenSource();
        using var attacker = ClientFrom("127.0.0.1");
        var tokens = Enumerable.Range(0, callers).Select(i => world.Issuer.Issue(
            new TokenRequest { Subject = i.ToString(CultureInfo.InvariantCulture), Organizations = (string[])["o-acme"] })).ToArray();
        var sent = Enumerable.Range(0, Requests).Select(i => SendAsync(attacker, Request(
            version, version == 1 ? http1 : http2, callers == 0 ? "/open/slow/600000" : "/organizations/o-acme/slow/600000",
            callers == 0 ? null : tokens[i % callers]), attack.Token)).ToList();
        var mostHeld = version == 1 ? MostConnectionsOfAnAddress : MostInFlight;
        await Eventually.IsTrueAsync(
            () => sent.Count(static each => each.IsCompleted) >= Requests - mostHeld,
            () => $"{row}: {sent.Count(static each => each.IsCompleted)} have ended\n{gateway.Output}");

        Assert.False(gateway.HasExited, gateway.Output);
        var files = Directory.GetFiles($"/proc/{gateway.Id}/fd").Length;
        var ended = sent.Where(static each => each.IsCompleted).CountBy(static each => each.Result?.ToString() ?? "closed").ToDictionary();
        output.WriteLine($"{row}: {files} files; {string.Join(", ", ended.Select(static each => $"{each.Value} x {each.Key}"))}");
        Assert.InRange(files, 1, MaxFiles - 100);
        Assert.Empty(ended.Keys.Except(["closed", nameof(HttpStatusCode.TooManyRequests), nameof(HttpStatusCode.ServiceUnavailable)]));
        var status = await OtherAsync();
        if (callers > 1) Assert.Contains(status, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.TooManyRequests, HttpStatusCode.ServiceUnavailable]);
        else Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(200, (await world.Client.SendAsync(gateway.ManagementUrl + "/health/ready")).Status);

        await attack.CancelAsync();
        await Task.WhenAll(sent);
        await Eventually.IsTrueAsync(async () => await OtherAsync() == HttpStatusCode.OK, () => $"{row}: not served again\n{gateway.Output}");
        gateway.Signal("TERM");
        Assert.Equal(0, await gateway.WaitForExitAsync());
    }

    private static void Change(JsonObject settings, int http1, int http2)
    {
        settings.Remove("Urls");
        settings["Kestrel"] = JsonNode.Parse($$"""
            {
              "Limits": { "MaxConcurrentConnections": 10000 },
              "Endpoints": { "One": { "Url": "http://127.0.0.1:{{http1}}" }, "Two": { "Url": "http://127.0.0.1:{{http2}}", "Protocols": "Http2" } }
            }
            """);
        settings["ReverseProxy"]!["Routes"]!["open"] = JsonNode.Parse(
            """{ "ClusterId": "organizations", "AuthorizationPolicy": "Anonymous", "Match": { "Path": "/open/{**rest}" } }""");
        settings["Shutdown"] = JsonNode.Parse("""{ "Delay": "00:00:00", "Timeout": "00:00:05" }""");
    }

    private static HttpRequestMessage Request(int version, int port, string path, string? token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{port}{path}")
        {
            Version = version == 1 ? HttpVersion.Version11 : HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        if (token is not null) request.Headers.Authorization = new("Bearer", token);
        return request;
    }

    // The status; null for a connection that was closed, and at the end of the attack.
    private static async Task<HttpStatusCode?> SendAsync(HttpClient client, HttpRequestMessage request, CancellationToken end)
    {
        try
        {
            using (request)
            {
                using var response = await client.SendAsync(request, end);
                return response.StatusCode;
            }
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    private static HttpClient ClientFrom(string address) => new(new SocketsHttpHandler
    {
        EnableMultipleHttp2Connections = true,
        ConnectCallback = async (context, cancellation) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            await socket.ConnectAsync(IPAddress.Loopback, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };
}
