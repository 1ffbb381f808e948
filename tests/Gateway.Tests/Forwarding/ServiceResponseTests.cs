using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Forwarding;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>Responses that are unusual, and some that are none.</summary>
public sealed class ServiceResponseTests(ServiceResponseTests.Services platform) : IClassFixture<ServiceResponseTests.Services>
{
    private const string Secret = "TOPSECRET";

    [Theory]
    [InlineData("gzip, chunked", 502)]
    [InlineData("chunked, gzip", 502)]
    [InlineData("gzip", 502)]
    [InlineData("deflate\r\nTransfer-Encoding: chunked", 502)]
    [InlineData("chunked, chunked", 502)]
    [InlineData("compress, chunked", 502)]
    [InlineData("x-own", 502)]
    [InlineData("chunked", 200)]
    [InlineData("Chunked", 200)]
    [InlineData("identity", 200)]
    public async Task A_transfer_coding_that_nobody_asked_for_is_502(string coding, int status)
    {
        var body = coding.Contains("chunked", StringComparison.OrdinalIgnoreCase) ? "1\r\na\r\n0\r\n\r\n" : "a";
        var response = $"HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\nConnection: close\r\n\r\n{body}";

        var answer = await RawHttp.SendAsync(platform.Http1, $"/raw/bytes/{Convert.ToHexString(Encoding.Latin1.GetBytes(response))}");

        Assert.True(answer.Status == status, $"{answer.Status} {answer.Body}");
        if (status == 502) ErrorResponseAssert.BodyMatches("BadGateway", answer.Body);
    }

    [Fact]
    public async Task S18_a_metrics_status_is_a_registered_one_or_a_class_whatever_services_send()
    {
        int[] registered = [200, 226, 404, 418, 451, 500, 511];
        int[] odd = [209, 299, 309, 399, 427, 430, 452, 498, 512, 599];
        int[] none = [0, 42, 600, 777, 999];
        var measured = new ConcurrentQueue<(string Instrument, string Tag, string Value)>();
        using var listener = new MeterListener();
        var meters = platform.Gateway.Services.GetRequiredService<IMeterFactory>();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Scope == meters && instrument.Meter.Name == "Gateway") listening.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            foreach (var (name, value) in tags) measured.Enqueue((instrument.Name, name, $"{value}"));
        });
        listener.Start();

        foreach (var status in (int[])[.. registered, .. odd, .. none])
            await RawHttp.SendAsync(platform.Http1, $"/raw/status/{status.ToString("000", CultureInfo.InvariantCulture)}");

        // A request counts when it has ended, which is after its response.
        string[] toServices = [.. registered.Select(status => $"{status}"), "0xx", "2xx", "3xx", "4xx", "5xx", "6xx", "7xx", "9xx"];
        string[] toClients = [.. registered.Select(status => $"{status}"), "2xx", "3xx", "4xx", "5xx", "502"];
        await Eventually.IsTrueAsync(() => Task.FromResult(
            toServices.Except(Values("http.client.request.duration", "http.response.status_code")).Concat(
                toClients.Except(Values("http.server.request.duration", "http.response.status_code"))).ToArray() is []));
        foreach (var instrument in (string[])["http.client.request.duration", "http.server.request.duration"])
        {
            var odds = ((int[])[.. odd, .. none]).Select(status => $"{status}");
            Assert.Empty(Values(instrument, "http.response.status_code").Intersect(odds));
            Assert.Empty(Values(instrument, "error.type").Intersect(odds));
        }

        string metrics = "";
        await Eventually.IsTrueAsync(async () =>
        {
            metrics = (await platform.World.Client.SendAsync(platform.Gateway.ManagementUrl + "/metrics")).Body;
            return metrics.Contains("http_response_status_code=\"2xx\"", StringComparison.Ordinal);
        });
        Assert.Contains("http_server_request_duration_seconds_bucket", metrics, StringComparison.Ordinal);
        Assert.Contains("http_client_request_duration_seconds_bucket", metrics, StringComparison.Ordinal);
        Assert.Contains("le=\"0.005\"", metrics, StringComparison.Ordinal);
        foreach (var status in odd) Assert.DoesNotContain($"http_response_status_code=\"{status}\"", metrics, StringComparison.Ordinal);

        string[] Values(string instrument, string tag) =>
            [.. measured.Where(each => each.Instrument == instrument && each.Tag == tag).Select(each => each.Value).Distinct()];
    }

    [Theory]
    [InlineData("C1 UTF-8", "attachment; filename=\"r\u00c3\u00a9sum\u00c3\u00a9.pdf\"")]
    [InlineData("C1 Latin-1", "attachment; filename=\"r\u00e9sum\u00e9.pdf\"")]
    [InlineData("C1 neither", "\u0080\u0081\u00fe\u00ff")]
    [InlineData("C1 UTF-8 of four bytes", "\u00f0\u009f\u0098\u0080")]
    [InlineData("C1 ASCII", "plain")]
    public async Task A_header_passes_byte_for_byte(string name, string bytes)
    {
        var value = Convert.ToHexString(Encoding.Latin1.GetBytes(bytes));
        var http1 = await RawHttp.ExchangeAsync(platform.Http1, $"GET /raw/header/{value} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.True(http1.Contains($"\r\nX-Name: {bytes}\r\n", StringComparison.Ordinal), $"{name}: {http1}");
        Assert.Contains($"\r\nContent-Disposition: {bytes}\r\n", http1, StringComparison.Ordinal);

        using var client = new HttpClient(new SocketsHttpHandler { ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1 });
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{platform.Http2}/raw/header/{value}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var http2 = await client.SendAsync(request);
        await http2.Content.ReadAsStringAsync();
        Assert.Equal([bytes], http2.Headers.GetValues("X-Name"));
        Assert.Equal([bytes], http2.TrailingHeaders.GetValues("X-Trailer"));
    }

    [Fact]
    public async Task S18_a_status_from_200_to_599_passes_and_any_other_is_502()
    {
        for (var status = 0; status <= 999; status += status is >= 190 and < 210 or >= 590 and < 610 ? 1 : 37)
        {
            // 100, 103 and the like announce a response, and none follows here.
            var text = status.ToString("000", CultureInfo.InvariantCulture);
            var answer = await RawHttp.SendAsync(platform.Http1, $"/raw/status/{text}");

            if (status is >= 200 and <= 599) Assert.Equal(status, answer.Status);
            else
            {
                Assert.True(answer.Status == 502, $"{text}: {answer.Status}");
                ErrorResponseAssert.BodyMatches("BadGateway", answer.Body);
            }
        }
    }

    [Theory]
    [InlineData("204 with a length", "HTTP/1.1 204 N\r\nContent-Length: 2\r\n\r\nok", 204)]
    [InlineData("204 in chunks", "HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 204)]
    [InlineData("205 with a length", "HTTP/1.1 205 R\r\nContent-Length: 2\r\n\r\nok", 205)]
    [InlineData("205 in chunks", "HTTP/1.1 205 R\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 205)]
    [InlineData("204 that is empty", "HTTP/1.1 204 N\r\n\r\n", 204)]
    public async Task S18_a_status_without_content_passes_without_what_the_service_sent(string name, string response, int status)
    {
        var target = $"/raw/bytes/{Convert.ToHexString(Encoding.Latin1.GetBytes(response))}";
        foreach (var method in (string[])["GET", "HEAD"])
        {
            var answer = await RawHttp.SendAsync(platform.Http1, target, method);

            Assert.True((answer.Status, answer.Body) == (status, ""), $"{name}, {method}: {answer.Status} {answer.Body}");
            Assert.NotEmpty(answer.Headers["X-Request-Id"]);
        }
    }

    [Theory]
    [InlineData("Connection: X-Hop, close", "X-Hop: hop")]
    [InlineData("Connection: close\r\nConnection: x-hop ,\tx-other", "X-Hop: hop\r\nX-Other: hop")]
    [InlineData("Connection: Content-Language, close", "Content-Language: hop")]
    [InlineData("Connection: (, \u00e9, , close, X-Hop", "X-Hop: hop")]
    [InlineData("Connection: close, Keep-Alive", "Keep-Alive: hop")]
    [InlineData("Connection: close", "Trailer: hop")]
    public async Task What_is_for_one_hop_alone_does_not_reach_the_client(string connection, string header)
    {
        var response = $"HTTP/1.1 200 OK\r\n{connection}\r\n{header}\r\nX-Kept: a\r\nContent-Length: 1\r\n\r\na";

        var answer = await RawHttp.SendAsync(platform.Http1, $"/raw/bytes/{Convert.ToHexString(Encoding.Latin1.GetBytes(response))}");

        Assert.Equal((200, "a"), (answer.Status, answer.Body));
        Assert.Equal(["a"], answer.Headers["X-Kept"]);
        Assert.DoesNotContain(answer.Headers, kept => kept.Contains("hop"));
    }

    [Fact]
    public async Task A_coding_stays_unusable_if_the_service_calls_it_one_of_this_hop()
    {
        var response = "HTTP/1.1 200 OK\r\nConnection: close, Transfer-Encoding\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";

        Assert.Equal(502, (await RawHttp.SendAsync(platform.Http1, $"/raw/bytes/{Convert.ToHexString(Encoding.Latin1.GetBytes(response))}")).Status);
    }

    [Theory]
    [InlineData("evil\u0001", "OK")]
    [InlineData("\u001b[31mred", "OK")]
    [InlineData("a\u007f", "OK")]
    [InlineData("a\u0085b", "OK")]
    [InlineData("caf\u00e9", "OK")]
    [InlineData("As You Like It", "As You Like It")]
    public async Task A_reason_phrase_that_is_not_printable_ASCII_does_not_reach_the_client(string phrase, string sent)
    {
        var response = Convert.ToHexString(Encoding.Latin1.GetBytes($"HTTP/1.1 200 {phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));

        var answer = await RawHttp.ExchangeAsync(platform.Http1, $"GET /raw/bytes/{response} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        Assert.StartsWith($"HTTP/1.1 200 {sent}\r\n", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S18_switching_protocols_unasked_is_502() => Assert.Equal(502, (await RawHttp.SendAsync(platform.Http1, "/raw/status/101")).Status);

    [Theory]
    [InlineData("C4 a header line without a colon", "HTTP/1.1 200 OK\r\nx-api-key TOPSECRET\r\n\r\n")]
    [InlineData("C4 a header name with a blank", "HTTP/1.1 200 OK\r\nx TOPSECRET: a\r\n\r\n")]
    [InlineData("C4 a header value with a NUL", "HTTP/1.1 200 OK\r\nx-key: TOPSECRET\0\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("C4 a header value with a control character", "HTTP/1.1 200 OK\r\nx-key: TOPSECRET\u0001\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("C4 an empty name", "HTTP/1.1 200 OK\r\n: TOPSECRET\r\n\r\n")]
    [InlineData("C4 no status line", "TOPSECRET\r\n\r\n")]
    [InlineData("C4 a status that is no number", "HTTP/1.1 TOPSECRET OK\r\n\r\n")]
    [InlineData("C4 another protocol", "SSH-2.0-TOPSECRET\r\n")]
    [InlineData("C4 a length that is no number", "HTTP/1.1 200 OK\r\nContent-Length: TOPSECRET\r\n\r\n")]
    [InlineData("C4 a chunk that is no number", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nTOPSECRET\r\n")]
    [InlineData("C4 a coding that is none", "HTTP/1.1 200 OK\r\nTransfer-Encoding: TOPSECRET\r\n\r\nbody")]
    [InlineData("C4 a trailer without a colon", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nTOPSECRET\r\n\r\n")]
    [InlineData("C4 a folded line", "HTTP/1.1 200 OK\r\nx-key: a\r\n TOPSECRET\r\n\r\n")]
    [InlineData("C4 a head without an end", "HTTP/1.1 200 OK\r\nx-key: TOPSECRET")]
    [InlineData("C4 a body that breaks off", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nTOPSECRET")]
    [InlineData("C4 an odd status", "HTTP/1.1 777 TOPSECRET\r\nContent-Length: 0\r\n\r\n")]
    public async Task What_a_service_sends_malformed_is_quoted_nowhere(string name, string response)
    {
        var target = $"/raw/bytes/{Convert.ToHexString(Encoding.Latin1.GetBytes(response))}";

        await RawHttp.ExchangeAsync(platform.Http1, $"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");

        IsNotQuoted(name, platform.Gateway.Log.Text);
        IsNotQuoted(name, platform.Spans.Text);
    }

    [Fact]
    public async Task C4_what_a_service_sends_malformed_to_a_health_probe_is_quoted_nowhere()
    {
        await Eventually.IsTrueAsync(
            () => Probes() > 0 && platform.Gateway.Services.GetRequiredService<DestinationHealthReport>().Unhealthy.Count > 0,
            () => platform.Gateway.Log.Text);
        // What the log says of it has been said before the second probe after that.
        var probes = Probes();
        await Eventually.IsTrueAsync(() => Probes() >= probes + 2);

        int Probes() => platform.Raw.Heads.Count(static head => head.StartsWith("GET /probed", StringComparison.Ordinal));
        IsNotQuoted("probe", platform.Gateway.Log.Text);
    }

    private static void IsNotQuoted(string name, string text)
    {
        var at = text.IndexOf(Secret, StringComparison.Ordinal);
        Assert.True(at < 0, $"{name}: {text[Math.Max(0, at - 400)..Math.Max(0, at)]}");
    }

    public sealed class Services : PlatformFixture
    {
        internal RawService Raw { get; } = new(Respond);

        internal SpanTexts Spans { get; } = new();

        public string Http1 => Address(0);

        public string Http2 => Address(1);

        protected override void Change(JsonObject settings)
        {
            settings.Remove("Urls");
            settings.Set("Kestrel:Endpoints", """{ "A": { "Url": "http://127.0.0.1:0" }, "B": { "Url": "http://127.0.0.1:0", "Protocols": "Http2" } }""");
            settings.Set(
                "Logging:LogLevel",
                """{ "Default": "Trace", "Yarp.ReverseProxy.Forwarder.HttpForwarder": "Trace","""
                    + """ "Yarp.ReverseProxy.Health": "Trace", "System.Net.Http": "Trace", "Microsoft": "Trace" }""");
            settings.Set("ReverseProxy:Clusters:raw", $$"""{ "Destinations": { "a": { "Address": "{{Raw.Url}}" } } }""")
                .Set("ReverseProxy:Clusters:probed", $$"""
                    { "Destinations": { "a": { "Address": "{{Raw.Url}}" } },
                      "HealthCheck": { "Active": { "Enabled": true, "Interval": "00:00:00.2", "Timeout": "00:00:00.2",
                        "Policy": "ConsecutiveFailures", "Path": "/probed" } } }
                    """)
                .Route("raw", "/raw/{**rest}", """{ "ClusterId": "raw", "AuthorizationPolicy": "Anonymous" }""")
                .Route("probed", "/probed/{**rest}", """{ "ClusterId": "probed", "AuthorizationPolicy": "Anonymous" }""");
        }

        protected override void Replace(IServiceCollection services) => services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(Spans));

        private static string Respond(string target)
        {
            var rest = target.Split('/')[^1];
            if (target.StartsWith("/probed", StringComparison.Ordinal)) return $"HTTP/1.1 200 OK\r\nx-api-key {Secret}\r\n\r\n";
            if (target.StartsWith("/raw/bytes/", StringComparison.Ordinal)) return Encoding.Latin1.GetString(Convert.FromHexString(rest));
            if (target.StartsWith("/raw/status/", StringComparison.Ordinal)) return $"HTTP/1.1 {rest} Odd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            var value = target.StartsWith("/raw/header/", StringComparison.Ordinal) ? Encoding.Latin1.GetString(Convert.FromHexString(rest)) : "";
            return $"HTTP/1.1 200 OK\r\nX-Name: {value}\r\nContent-Disposition: {value}\r\nTrailer: X-Trailer\r\nTransfer-Encoding: chunked\r\n"
                + $"Connection: close\r\n\r\n1\r\na\r\n0\r\nX-Trailer: {value}\r\n\r\n";
        }

        private string Address(int index) => Gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ElementAt(index);
    }

    internal sealed class SpanTexts : BaseProcessor<System.Diagnostics.Activity>
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _texts = new();

        public string Text => string.Join('\n', _texts);

        public override void OnEnd(System.Diagnostics.Activity data) =>
            _texts.Enqueue($"{data.StatusDescription} "
                + $"{string.Join(' ', data.TagObjects.Concat(data.Events.SelectMany(happened => happened.Tags)).Select(tag => $"{tag.Key}={tag.Value}"))}");
    }
}
