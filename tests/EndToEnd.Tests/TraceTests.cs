using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace EndToEnd.Tests;

/// <summary>A gateway that sends its spans nowhere still hands on whose trace a request is.</summary>
public sealed class TraceTests(TraceTests.Gateways gateways) : IClassFixture<TraceTests.Gateways>
{
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";
    private const string Parent = "b7ad6b7169203331";

    [Theory]
    [InlineData("00")]
    [InlineData("01")]
    public async Task A_trusted_proxys_trace_goes_on_as_it_was_begun(string sampled)
    {
        var received = await SendAsync(gateways.BehindProxy, $"00-{Trace}-{Parent}-{sampled}");

        Assert.Matches($"^00-{Trace}-(?!{Parent})[0-9a-f]{{16}}-{sampled}$", Assert.Single(received.Headers["traceparent"]));
        Assert.Equal("vendor=1", Assert.Single(received.Headers["tracestate"]));
        Assert.NotEqual(Trace, Assert.Single(received.Headers["X-Request-Id"]));
        Assert.DoesNotContain("baggage", received.Headers.Keys);
        Assert.Contains($"\"traceId\":\"{Trace}\"", await LineAsync(gateways.BehindProxy, received.Target), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00")]
    [InlineData("01")]
    public async Task S14_a_clients_trace_neither_goes_on_nor_decides_what_is_recorded(string sampled)
    {
        var received = await SendAsync(gateways.Plain, $"00-{Trace}-{Parent}-{sampled}");

        Assert.Matches($"^00-(?!{Trace})[0-9a-f]{{32}}-(?!{Parent})[0-9a-f]{{16}}-01$", Assert.Single(received.Headers["traceparent"]));
        Assert.DoesNotContain("tracestate", received.Headers.Keys);
        Assert.NotEqual(Trace, Assert.Single(received.Headers["X-Request-Id"]));
        await LineAsync(gateways.Plain, received.Target);
        Assert.DoesNotContain(Trace, gateways.Plain.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    [InlineData("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("x")]
    public async Task What_is_no_trace_goes_no_further(string parent)
    {
        var received = await SendAsync(gateways.Plain, parent);

        var sent = Assert.Single(received.Headers["traceparent"]);
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", sent);
        Assert.NotEqual(parent, sent);
        Assert.DoesNotMatch("^00-0{32}-|-0{16}-", sent);
    }

    [Fact]
    public async Task A_trace_that_begins_here_is_one_that_services_may_record()
    {
        var received = await SendAsync(gateways.Plain, null);

        var parent = Assert.Single(received.Headers["traceparent"]);
        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-01$", parent);
        Assert.Matches("^[0-9a-f]{32}$", Assert.Single(received.Headers["X-Request-Id"]));
    }

    private static async Task<string> LineAsync(GatewayProcess gateway, string path)
    {
        await Eventually.IsTrueAsync(() => gateway.Output.Contains(path, StringComparison.Ordinal), () => gateway.Output);
        return gateway.Output.Split('\n').Single(line => line.Contains(path, StringComparison.Ordinal));
    }

    private async Task<ReceivedRequest> SendAsync(GatewayProcess gateway, string? traceParent)
    {
        var path = $"/organizations/o-acme/{Guid.NewGuid():N}";
        var answer = await gateways.World.Client.SendAsync(gateway.Url + path, gateways.World.Token("o-acme"), change: request =>
        {
            if (traceParent is null) return;
            request.Headers.TryAddWithoutValidation("traceparent", traceParent);
            request.Headers.Add("tracestate", "vendor=1");
            request.Headers.Add("baggage", "user=root");
        });
        Assert.Equal(200, answer.Status);
        return Assert.Single(await gateways.World.Downstream.Requests.WaitForAsync(request => request.Target == path));
    }

    /// <summary>A gateway that takes every client for one, and one that trusts every caller as a proxy.</summary>
    public sealed class Gateways : IAsyncLifetime
    {
        public World World { get; private set; } = null!;

        public GatewayProcess Plain { get; private set; } = null!;

        public GatewayProcess BehindProxy { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            World = await World.StartAsync();
            Plain = await World.StartGatewayProcessAsync();
            BehindProxy = await World.StartGatewayProcessAsync(
                static settings => settings["Edge"] = new JsonObject { ["TrustedProxies"] = new JsonArray("127.0.0.1") });
        }

        public ValueTask DisposeAsync() => World.DisposeAsync();
    }
}
