using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Tests.Edge;
using Gateway.Tests.Logs;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>The frames of a service reach the client as they are, and requests that it cannot take are not its failure.</summary>
public sealed class Http2ServiceTests(Http2ServiceTests.Platform platform) : IClassFixture<Http2ServiceTests.Platform>
{
    private static CancellationToken Patience => new CancellationTokenSource(Eventually.Limit).Token;

    [Theory]
    [InlineData("5")]
    [InlineData("16")]
    public async Task A_gRPC_error_without_a_message_ends_the_stream_with_its_headers(string code)
    {
        var frames = await CallAsync($"/raw/status/{code}", ("content-type", "application/grpc"));

        var (type, flags, _) = frames[0];
        Assert.Equal((Http2Wire.Headers, Http2Wire.EndStream), (type, (byte)(flags & Http2Wire.EndStream)));
        Assert.Single(frames);
    }

    [Theory]
    [InlineData("/raw/early/404")]
    [InlineData("/raw/early/401")]
    [InlineData("/raw/early/413")]
    [InlineData("/anyone/raw/early/404")]
    public async Task A_service_that_refuses_an_upload_early_and_without_a_body_is_passed_on_so(string path)
    {
        var frames = await CallAsync(path, endsBody: false, ("content-type", "text/plain"));

        Assert.Equal(Http2Wire.Headers, frames[0].Type);
        Assert.DoesNotContain(frames, static frame => frame.Type == Http2Wire.Data && frame.Length > 0);
    }

    [Theory]
    [InlineData(9_000, 0)]
    [InlineData(20_000, 0)]
    [InlineData(1_000, 7_000)]
    public async Task Headers_that_are_too_many_for_the_service_are_431_and_count_against_no_destination(int header, int query)
    {
        // A service says what it takes once it is connected.
        Assert.Equal(200, (await platform.SendAsync("/few/1", platform.World.Token())).Status);

        // Enough to take a destination out, if they were its failures.
        for (var i = 0; i < 15; i++)
        {
            var refused = await platform.SendAsync(
                $"/few/1?q={new string('x', query)}", platform.World.Token(), change: request => request.Headers.Add("X-Large", new string('x', header)));
            ErrorResponseAssert.Matches(431, "RequestHeaderFieldsTooLarge", refused);
        }

        Assert.Equal(200, (await platform.SendAsync("/few/1", platform.World.Token())).Status);
        Assert.Equal(0, platform.Gateway.Log.Count(LogLevel.Warning, "The destination few"));
    }

    [Theory]
    [InlineData("exact", 200, null, 3)]
    [InlineData("none", 502, "upstream:response_body_destination", null)]
    [InlineData("short", 200, "upstream:response_body_destination", null)]
    [InlineData("long", 502, "upstream:response_body_destination", null)]
    [InlineData("zero", 502, "upstream:response_body_destination", null)]
    [InlineData("head", 200, null, 0)]
    [InlineData("unchanged", 304, null, 0)]
    public async Task A_body_that_does_not_have_its_Content_Length_is_a_failure_of_the_service(string body, int status, string? reason, int? bytes)
    {
        var path = $"/raw/length/{body}/";

        var response = await RawHttp.ExchangeAsync(
            platform.Http1,
            $"{(body == "head" ? "HEAD" : "GET")} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {platform.World.Token()}\r\nConnection: close\r\n\r\n");

        // The client may get none of a response that is cut at once.
        if (body != "short") Assert.Matches($"^HTTP/1.1 {status} (.*\r\n)*X-Request-Id: ", response);
        Assert.Equal(status == 502, response.Contains("\"error\":\"BadGateway\"", StringComparison.Ordinal));
        var line = await AccessLines.OfPathAsync(platform.Gateway, path);
        Assert.Equal(
            $"{status} {reason} {bytes}", $"{line.GetProperty("status")} {line.GetProperty("reason").GetString()} {line.GetProperty("bytes")}");
        Assert.Equal(0, platform.Gateway.Log.Count(LogLevel.Error, "unhandled exception"));
    }

    [Fact]
    public async Task Trailers_have_no_name_that_the_gateway_keeps_out_of_headers()
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Get, platform.Http2 + "/anyone/raw/trailers/")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await client.SendAsync(request, Patience);

        Assert.Equal("abc", await response.Content.ReadAsStringAsync(Patience));
        Assert.Equal(["x-kept"], response.TrailingHeaders.Select(static trailer => trailer.Key));
    }

    private Task<List<(byte Type, byte Flags, int Length)>> CallAsync(string path, params (string, string)[] headers) => CallAsync(path, true, headers);

    /// <summary>The frames of a POST's response, to the one that ends its stream.</summary>
    private async Task<List<(byte Type, byte Flags, int Length)>> CallAsync(string path, bool endsBody, params (string, string)[] headers)
    {
        var url = new Uri(platform.Http2);
        using var client = new TcpClient();
        await client.ConnectAsync(url.Host, url.Port, Patience);
        await using var stream = client.GetStream();
        var fields = Http2Wire.Fields(
            [
                (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", url.Authority),
                ("authorization", "Bearer " + platform.World.Token()), .. headers,
            ]);
        await stream.WriteAsync(
            (byte[])
            [
                .. Http2Wire.Preface,
                .. Http2Wire.Frame(Http2Wire.Headers, Http2Wire.EndHeaders, 1, fields),
                .. Http2Wire.Frame(Http2Wire.Data, endsBody ? Http2Wire.EndStream : (byte)0, 1, [0, 0, 0, 0, 0]),
            ],
            Patience);
        var frames = new List<(byte, byte, int)>();
        while (await Http2Wire.ReadAsync(stream, Patience) is var (type, flags, streamId, payload))
        {
            if (streamId != 1 || type is not (Http2Wire.Headers or Http2Wire.Data or Http2Wire.Reset)) continue;
            frames.Add((type, flags, payload.Length));
            if (type == Http2Wire.Reset || (flags & Http2Wire.EndStream) != 0) return frames;
        }

        return frames;
    }

    public sealed class Platform : BothProtocols
    {
        private readonly StubTcpServer _raw = new(ServeAsync);
        private GrpcService? _few;

        protected override async ValueTask PrepareAsync() => _few = await GrpcService.StartAsync(maxHeaders: 8192);

        protected override void Change(JsonObject settings)
        {
            base.Change(settings);
            settings
                .Set("ReverseProxy:Clusters:raw", $$"""
                    {
                      "Destinations": { "raw": { "Address": "http://127.0.0.1:{{_raw.Port}}" } },
                      "HttpRequest": { "Version": "2", "VersionPolicy": "RequestVersionExact" }
                    }
                    """)
                .Set("ReverseProxy:Clusters:few", $$"""
                    {
                      "Destinations": { "few": { "Address": "{{_few!.Url}}" } },
                      "HttpRequest": { "Version": "2", "VersionPolicy": "RequestVersionExact" },
                      "HealthCheck": { "Passive": { "Enabled": true, "Policy": "TransportFailureRate", "ReactivationPeriod": "01:00:00" } }
                    }
                    """)
                .Route("raw", "/raw/{**rest}", """{ "ClusterId": "raw" }""")
                .Route("anyone", "/anyone/{**rest}", """{ "ClusterId": "raw", "AuthorizationPolicy": "Anonymous" }""")
                .Route("few", "/few/{**rest}", """{ "ClusterId": "few" }""");
        }

        // Responds with headers alone that end the stream, as Go's gRPC server does with an error; to /early before the request's body has ended.
        private static async Task ServeAsync(Stream stream, CancellationToken ended)
        {
            await stream.ReadExactlyAsync(new byte["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".Length], ended);
            await stream.WriteAsync(Http2Wire.Frame(Http2Wire.Settings, 0, 0, []), ended);
            while (await Http2Wire.ReadAsync(stream, ended) is var (type, flags, streamId, payload))
            {
                if (type == Http2Wire.Settings && (flags & 1) == 0) await stream.WriteAsync(Http2Wire.Frame(Http2Wire.Settings, 1, 0, []), ended);
                if (type != Http2Wire.Headers) continue;
                // The HTTP client writes paths as they are, without Huffman coding.
                var path = Encoding.Latin1.GetString(payload);
                var word = path[(path.IndexOf("/raw/", StringComparison.Ordinal) + "/raw/".Length)..];
                if (word.StartsWith("length/", StringComparison.Ordinal) || word.StartsWith("trailers/", StringComparison.Ordinal))
                {
                    foreach (var frame in FramesOf(word.Split('/')[..2], streamId)) await stream.WriteAsync(frame, ended);
                    continue;
                }

                var argument = word[(word.IndexOf('/', StringComparison.Ordinal) + 1)..];
                var isEarly = word.StartsWith("early", StringComparison.Ordinal);
                var fields = isEarly
                    ? Http2Wire.Fields((":status", argument[..3]))
                    : Http2Wire.Fields(
                        (":status", "200"), ("content-type", "application/grpc"),
                        ("grpc-status", string.Concat(argument.TakeWhile(char.IsAsciiDigit))));
                await stream.WriteAsync(Http2Wire.Frame(Http2Wire.Headers, Http2Wire.EndHeaders | Http2Wire.EndStream, streamId, fields), ended);
                if (isEarly) await stream.WriteAsync(Http2Wire.Frame(Http2Wire.Reset, 0, streamId, [0, 0, 0, 0]), ended);
            }
        }

        // Headers, and data or trailers.
        private static IEnumerable<byte[]> FramesOf(string[] words, byte streamId)
        {
            var (status, length, data) = words switch
            {
                ["length", "none" or "head"] => ("200", "100", 0),
                ["length", "short"] => ("200", "100", 3),
                ["length", "long"] => ("200", "3", 88),
                ["length", "zero"] => ("200", "0", 3),
                ["length", "unchanged"] => ("304", "3", 3),
                _ => ("200", "3", 3),
            };
            var hasTrailers = words[0] == "trailers";
            yield return Http2Wire.Frame(
                Http2Wire.Headers, (byte)(Http2Wire.EndHeaders | (data == 0 ? Http2Wire.EndStream : 0)), streamId,
                Http2Wire.Fields((":status", status), ("content-length", length)));
            if (data > 0)
            {
                yield return Http2Wire.Frame(Http2Wire.Data, hasTrailers ? (byte)0 : Http2Wire.EndStream, streamId,
                    [.. Enumerable.Range(0, data).Select(static index => (byte)('a' + (index % 26)))]);
            }

            if (!hasTrailers) yield break;
            yield return Http2Wire.Frame(Http2Wire.Headers, Http2Wire.EndHeaders | Http2Wire.EndStream, streamId, Http2Wire.Fields(
                ("x-kept", "1"), ("x-request-id", "forged"), ("server", "inside"), ("strict-transport-security", "max-age=0"), ("connection", "x-kept"),
                ("keep-alive", "timeout=1"), ("transfer-encoding", "chunked"), ("upgrade", "x"), ("trailer", "x"), ("content-length", "5")));
        }
    }
}
