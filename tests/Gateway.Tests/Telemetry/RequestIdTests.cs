using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Trace;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>A request has one id, the gateway's own, wherever it is known by one; and a trace that no client chooses.</summary>
public sealed class RequestIdTests(RequestIdTests.Traced platform) : IClassFixture<RequestIdTests.Traced>
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    [Fact]
    public async Task S14_every_response_has_an_id_of_its_own()
    {
        var token = platform.World.Token("o-acme");
        var answers = new List<Response>
        {
            await platform.SendAsync("/plain/1", token), await platform.SendAsync("/plain/1"),
            await platform.SendAsync("/plain/1", "bad"), await platform.SendAsync("/nowhere", token),
            await platform.SendAsync("/a//b"), await platform.SendAsync("/plain/1", token, "PROPFIND"),
            await platform.SendAsync("/organizations/o-other/1", token), await platform.SendAsync("/organizations/bad/1", token),
            await platform.SendAsync("/plain/abort", token),
            await platform.SendAsync("/plain/status/404", token), await platform.SendAsync("/plain/status/500", token),
            await platform.SendAsync(Requests.CredentialsPath("o-acme"), token), await platform.SendAsync(Requests.CredentialsPath("o-acme"), token, "POST"),
            await platform.SendAsync(Requests.CredentialsPath("o-acme"), null, "OPTIONS", request =>
            {
                request.Headers.Add("Origin", "https://app.example.com");
                request.Headers.Add("Access-Control-Request-Method", "GET");
            }),
            await platform.SendAsync("/plain/1", token, "HEAD"),
            await platform.SendAsync("/plain/1", token, change: request => request.Headers.Host = "other.example.com"),
        };
        foreach (var path in (string[])["/health/live", "/health/ready", "/metrics", "/nowhere", "/organizations/o-acme/credentials"])
            answers.Add(await platform.World.Client.SendAsync(
                platform.Gateway.ManagementUrl + path, method: path.StartsWith("/organizations", StringComparison.Ordinal) ? "DELETE" : "GET"));

        var ids = answers.ConvertAll(static answer => Assert.Single(answer.Headers.GetValues("X-Request-Id")));
        Assert.All(ids, static id => Assert.Matches("^[0-9a-f]{32}$", id));
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Superset(new HashSet<int> { 200, 204, 400, 401, 403, 404, 405, 422, 500, 502 }, answers.Select(static answer => answer.Status).ToHashSet());
    }

    [Fact]
    public async Task S14_service_access_line_and_audit_know_a_request_by_the_id_of_its_response()
    {
        var forwarded = await platform.SendAsync("/plain/known", platform.World.Token("o-acme"), change: static request =>
        {
            request.Headers.Add("X-Request-Id", "forged");
            request.Headers.Add("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
        });
        var vended = await platform.Gateway.VendAsync("o-known");

        var id = Assert.Single(forwarded.Headers.GetValues("X-Request-Id"));
        Assert.NotEqual(Trace, id);
        Assert.Equal([id], Assert.Single(platform.Received("/plain/known")).Headers["X-Request-Id"]);
        await platform.Gateway.Log.WaitForAsync(Microsoft.Extensions.Logging.LogLevel.Information, $"\"requestId\":\"{id}\"");
        await platform.Gateway.Log.WaitForAsync(
            Microsoft.Extensions.Logging.LogLevel.Information, $"request {Assert.Single(vended.Headers.GetValues("X-Request-Id"))} delivered ");
    }

    [Theory]
    [InlineData("S14 recorded", "01")]
    [InlineData("S14 not recorded", "00")]
    public async Task A_clients_trace_is_a_link_of_a_trace_of_the_gateways(string name, string flags)
    {
        var path = $"/plain/{Guid.NewGuid():N}";
        await platform.SendAsync(path, platform.World.Token(), change: request =>
        {
            request.Headers.TryAddWithoutValidation("traceparent", $"00-{Trace}-b7ad6b7169203331-{flags}");
            request.Headers.TryAddWithoutValidation("tracestate", "vendor=1");
        });

        var span = await platform.Spans.OfAsync(path);
        Assert.Equal((name, default, true), (name, span.ParentSpanId, span.Recorded));
        Assert.NotEqual(Trace, span.TraceId.ToHexString());
        Assert.Equal([Trace], span.Links.Select(static link => link.Context.TraceId.ToHexString()));
        var received = Assert.Single(platform.Received(path)).Headers;
        Assert.StartsWith($"00-{span.TraceId.ToHexString()}-", Assert.Single(received["traceparent"]), StringComparison.Ordinal);
        Assert.EndsWith("-01", Assert.Single(received["traceparent"]), StringComparison.Ordinal);
        Assert.DoesNotContain("tracestate", received.Keys);
    }

    [Theory]
    [InlineData("S14 none", "x")]
    [InlineData("S14 zero", "00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("S14 other letters", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    public async Task What_is_no_trace_is_no_link(string name, string traceparent)
    {
        var path = $"/plain/{Guid.NewGuid():N}";
        await platform.SendAsync(path, platform.World.Token(), change: request => request.Headers.TryAddWithoutValidation("traceparent", traceparent));

        Assert.True(!(await platform.Spans.OfAsync(path)).Links.Any(), name);
    }

    [Fact]
    public async Task S14_a_trusted_proxys_trace_is_the_parent()
    {
        var gateway = await platform.World.StartGatewayAsync(static settings => settings.WithoutRedis().Set("Edge:TrustedProxies", """["127.0.0.0/8"]"""));
        var path = $"/organizations/o-acme/{Guid.NewGuid():N}";

        await gateway.SendAsync(path, platform.World.Token("o-acme"), change: static request =>
        {
            request.Headers.TryAddWithoutValidation("traceparent", $"00-{Trace}-b7ad6b7169203331-01");
            request.Headers.TryAddWithoutValidation("tracestate", "vendor=1");
        });

        var received = Assert.Single(platform.Received(path)).Headers;
        Assert.StartsWith($"00-{Trace}-", Assert.Single(received["traceparent"]), StringComparison.Ordinal);
        Assert.Equal(["vendor=1"], received["tracestate"]);
        Assert.NotEqual([Trace], received["X-Request-Id"]);
    }

    public sealed class Traced : PlatformFixture
    {
        internal ServerSpans Spans { get; } = new();

        protected override void Change(JsonObject settings) => settings.Set("AllowedHosts", "\"127.0.0.1\"");

        protected override void Replace(IServiceCollection services) => services.ConfigureOpenTelemetryTracerProvider(tracing => tracing.AddProcessor(Spans));
    }

    internal sealed class ServerSpans : BaseProcessor<Activity>
    {
        private readonly ConcurrentQueue<Activity> _ended = new();

        public override void OnEnd(Activity data)
        {
            if (data.Kind == ActivityKind.Server) _ended.Enqueue(data);
        }

        public async Task<Activity> OfAsync(string path)
        {
            Activity? found = null;
            await Eventually.IsTrueAsync(
                () =>
                {
                    // The service is a server of this process too, and has no routes.
                    found = _ended.FirstOrDefault(span => path.Equals(span.GetTagItem("url.path")) && span.GetTagItem("http.route") is not null);
                    return found is not null;
                },
                () => path);
            return found!;
        }
    }
}
