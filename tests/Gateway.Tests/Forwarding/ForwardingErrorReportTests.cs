using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Testing;
using Xunit;

namespace Gateway.Tests.Forwarding;

/// <summary>Why a service failed is told to operators, in a line and a count, and to nobody else.</summary>
public sealed class ForwardingErrorReportTests(ForwardingErrorReportTests.Services platform) : IClassFixture<ForwardingErrorReportTests.Services>
{
    [Theory]
    [InlineData("down", "Request", "ConnectionError, ConnectionRefused")]
    [InlineData("hangs-up", "Request", "ResponseEnded")]
    [InlineData("silent", "RequestTimedOut", "TaskCanceledException")]
    [InlineData("nonsense", "Request", "InvalidResponse")]
    [InlineData("nowhere", "Request", "NameResolutionError")]
    [InlineData("proxied", "Request", "ConnectionError, ConnectionRefused through the proxy localhost:")]
    public async Task Failed_tries_are_a_line_and_a_count_each(string cluster, string error, string cause)
    {
        using var measurements = new Measurements(platform.Gateway);

        var answer = await platform.SendAsync($"/{cluster}/1?key=secret-query", platform.World.Token("o-acme"));
        await platform.SendAsync($"/{cluster}/2", platform.World.Token("o-acme"));

        Assert.Equal(2, measurements[$"gateway.forwarding.errors {cluster} {error}"]);
        Assert.Equal(
            1, platform.Gateway.Log.Count(LogLevel.Warning, $"Gateway.Forwarding: The destination a of the cluster {cluster} failed: {error} ({cause}"));
        Assert.DoesNotContain(cause, answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", answer.Body, StringComparison.Ordinal);
        foreach (var line in platform.Gateway.Log.Text.Split('\n').Where(line => line.Contains("Gateway.Forwarding", StringComparison.Ordinal)))
        {
            Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_route_that_ran_out_of_time_is_the_services_failure()
    {
        using var measurements = new Measurements(platform.Gateway);

        ErrorResponseAssert.Matches(504, "GatewayTimeout", await platform.SendAsync("/timed/slow/20000", platform.World.Token("o-acme")));

        Assert.Equal(1, measurements["gateway.forwarding.errors organizations RequestTimedOut"]);
    }

    [Fact]
    public async Task A_client_that_leaves_is_nobodys_failure_and_the_service_learns_of_it()
    {
        using var measurements = new Measurements(platform.Gateway);
        using var leaves = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, platform.Gateway.Url + "/plain/left/slow/60000");
        request.Headers.Authorization = new("Bearer", platform.World.Token("o-acme"));
        var sending = platform.World.Client.SendAsync(request, leaves.Token);
        await platform.World.Downstream.Requests.WaitForAsync(received => received.Target.StartsWith("/plain/left", StringComparison.Ordinal));

        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        await platform.World.Downstream.Abandoned.WaitForAsync(received => received.Target.StartsWith("/plain/left", StringComparison.Ordinal));
        Assert.Equal(0, measurements["gateway.forwarding.errors organizations RequestCanceled"]);
    }

    public sealed class Services : PlatformFixture
    {
        private readonly ScriptedService _hangsUp = new();
        private readonly ScriptedService _silent = new(stays: true);
        private readonly ScriptedService _nonsense = new("secret-nonsense\r\n\r\n");

        protected override void Change(JsonObject settings)
        {
            settings.Route("timed", "/timed/{**rest}", """{ "Timeout": "00:00:00.2" }""");
            foreach (var (name, address) in new[]
            {
                ("down", $"http://127.0.0.1:{FreePort.Find()}/"), ("hangs-up", _hangsUp.Url), ("silent", _silent.Url),
                ("nonsense", _nonsense.Url), ("nowhere", "http://user:secret-password@nowhere.invalid/"),
            })
            {
                settings.Set($"ReverseProxy:Clusters:{name}", $$"""{ "Destinations": { "a": { "Address": "{{address}}" } } }""")
                    .Route(name, $"/{name}/{{**rest}}", $$"""{ "ClusterId": "{{name}}" }""");
            }

            settings.Set("ReverseProxy:Clusters:proxied", $$"""
                { "Destinations": { "a": { "Address": "http://service.invalid/" } },
                  "HttpClient": { "WebProxy": { "Address": "http://user:secret@localhost:{{FreePort.Find()}}" } } }
                """).Route("proxied", "/proxied/{**rest}", """{ "ClusterId": "proxied" }""");
            settings.Set("ReverseProxy:Clusters:silent:HttpRequest", """{ "ActivityTimeout": "00:00:00.3" }""");
        }
    }
}
