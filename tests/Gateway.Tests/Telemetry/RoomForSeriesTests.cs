using System.Net;
using Gateway.Forwarding.Headers;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;

namespace Gateway.Tests.Telemetry;

/// <summary>A caller without a token does not use up the room of a metric, and what alerts on errors read is there before the first error.</summary>
[Collection(LoadTests.Name)]
public sealed class RoomForSeriesTests
{
    private const string Durations = "http_server_request_duration_seconds_count";

    // With all methods and versions, each kind of refusal alone takes more series than a test's gateway has room for.
    private const int Routes = 10;

    private static readonly string[] s_methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    public static TheoryData<string> Strangers => ["no token", "a token that nobody issued", "a locked-out address", "a loop", "a preflight"];

    [Theory]
    [MemberData(nameof(Strangers))]
    public async Task A_stranger_makes_few_series_a_route(string stranger)
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis();
            if (stranger == "a preflight") settings.Set("Cors:Policies:Pages", """{ "Origins": ["https://app.example.com"] }""");
            for (var i = 0; i < Routes; i++)
                settings.Route($"r{i}", $"/r{i}/{{**rest}}", stranger == "a preflight" ? """{ "CorsPolicy": "Pages" }""" : "{}");
        });
        // A token that was found good before is not locked out with its address.
        var known = world.Token();
        Assert.Equal(200, (await gateway.SendAsync("/r0/1", known)).Status);
        for (var i = 0; stranger == "a locked-out address" && i < 101; i++) await gateway.SendAsync("/r0/1", $"junk{i}");

        for (var i = 0; i < Routes; i++)
        {
            foreach (var method in s_methods)
            {
                foreach (var version in (Version[])[HttpVersion.Version10, HttpVersion.Version11])
                {
                    var token = stranger == "a token that nobody issued" ? $"junk{i}" : null;
                    var response = await gateway.SendAsync($"/r{i}/1", token, method, request =>
                    {
                        (request.Version, request.VersionPolicy) = (version, HttpVersionPolicy.RequestVersionExact);
                        Disguise(request, stranger, gateway.Services.GetRequiredService<GatewayName>().ToString());
                    });
                    Assert.True(response.Status is (>= 400 and < 600) or 204, $"{method} {response.Status}");
                }
            }
        }

        Assert.Equal(200, (await gateway.SendAsync("/r0/1", known)).Status);
        Scrape scrape = null!;
        await Eventually.IsTrueAsync(async () => (scrape = await Scrape.ReadAsync(world, gateway)).Sum(Durations) >= 2 + (2 * Routes * s_methods.Length));
        Assert.Equal(2, scrape.Sum(Durations, "http_route=\"/r0/{**rest}\"", "http_request_method=\"GET\"", "http_response_status_code=\"200\""));
        Assert.InRange(scrape.Lines.Count(static line => line.Name == Durations), Routes, 3 * Routes);
        // HTTP clients measure the whole process.
        Assert.DoesNotContain(scrape.Lines, static line =>
            line.Labels.ContainsKey("otel_metric_overflow") && !line.Name.Contains("client", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Many_routes_have_room_and_the_series_of_errors_exist_from_the_start_and_after_a_reload()
    {
        const int Many = 600;
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings =>
        {
            settings.WithoutRedis();
            for (var i = 0; i < Many; i++) settings.Route($"r{i}", $"/r{i}/{{**rest}}");
        });
        Assert.Equal(0, (await Scrape.ReadAsync(world, gateway)).Sum("gateway_requests_total", $"route=\"r{Many - 1}\"", "status=\"5xx\""));

        await Parallel.ForAsync(0, Many, async (i, _) => Assert.Equal(401, (await gateway.SendAsync($"/r{i}/1")).Status));
        await gateway.ChangeAsync(static settings => settings.Route("added", "/added/{**rest}"));

        await Eventually.IsTrueAsync(async () => (await Scrape.ReadAsync(world, gateway)).Sum(Durations) >= Many);
        var scrape = await Scrape.ReadAsync(world, gateway);
        Assert.Equal(0, scrape.Sum("gateway_requests_total", "route=\"added\"", "status=\"5xx\""));
        foreach (var name in (string[])[Durations, "gateway_requests_total", "gateway_refusals_total"])
            Assert.Null(scrape.Sum(name, "otel_metric_overflow=\"true\""));
    }

    private static void Disguise(HttpRequestMessage request, string stranger, string via)
    {
        switch (stranger)
        {
            case "a locked-out address":
                request.Headers.TryAddWithoutValidation("Authorization", "Bearer junk");
                break;
            case "a loop":
                request.Headers.TryAddWithoutValidation("Via", $"1.1 {via}");
                break;
            case "a preflight":
                request.Headers.TryAddWithoutValidation("Origin", "https://app.example.com");
                request.Headers.TryAddWithoutValidation("Access-Control-Request-Method", "GET");
                break;
        }
    }
}
