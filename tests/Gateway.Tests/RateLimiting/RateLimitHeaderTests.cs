using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.RateLimiting;

/// <summary>Callers can read the limit and what is left of it, as draft-ietf-httpapi-ratelimit-headers writes them.</summary>
public sealed class RateLimitHeaderTests
{
    public static TheoryData<string, string, string[]> Rows => new()
    {
        // What the policy is, and what is left after each request. The clock stands still.
        { """{ "Algorithm": "FixedWindow", "PermitLimit": 2, "Window": "00:01:00" }""", "q=2;w=60", [";r=1;t=60", ";r=0;t=60", ";r=0;t=60"] },
        { """{ "Algorithm": "SlidingWindow", "PermitLimit": 2, "Window": "00:01:00" }""", "q=2;w=60", [";r=1;t=60", ";r=0;t=60", ";r=0;t=60"] },
        { """{ "Algorithm": "TokenBucket", "PermitLimit": 2, "Window": "00:01:00" }""", "q=2;w=60", [";r=1;t=30", ";r=0;t=30", ";r=0;t=30"] },
        { """{ "Algorithm": "FixedWindow", "PermitLimit": 1, "Window": "00:00:00.500" }""", "q=1", [";r=0;t=1", ";r=0;t=1"] },
        { """{ "Algorithm": "Concurrency", "PermitLimit": 2 }""", "q=2;qu=\"concurrent-requests\"", [""] },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task Each_response_of_a_limited_route_has_the_limit_and_what_is_left(string limit, string policy, string[] left)
    {
        await using var world = await World.StartAsync(new FakeTimeProvider(DateTimeOffset.UtcNow));
        var gateway = await world.StartGatewayAsync(settings => Limit(settings.WithoutRedis(), "Per caller", limit));

        foreach (var (after, index) in left.Select((after, index) => (after, index)))
        {
            var response = await gateway.SendAsync("/limited/1", world.Token());

            Assert.Equal($"\"Per%20caller\";{policy}", Assert.Single(response.Headers.GetValues("RateLimit-Policy")));
            Assert.Equal(after.Length == 0 ? [] : [$"\"Per%20caller\"{after}"], Values(response, "RateLimit"));
            Assert.Equal(index == 0 ? 200 : response.Status, response.Status);
        }
    }

    [Fact]
    public async Task They_are_on_errors_after_the_limit_and_on_no_other_route_or_refusal()
    {
        await using var world = await World.StartAsync();
        var gateway = await world.StartGatewayAsync(settings => Limit(
            settings.WithoutRedis(), "Few", """{ "Algorithm": "FixedWindow", "PermitLimit": 50, "Window": "01:00:00" }"""));

        foreach (var (path, count) in (IEnumerable<(string, int)>)[("/limited/1", 1), ("/limited/abort", 1), ("/limited/status/500", 1), ("/plain/1", 0)])
            Assert.Equal((path, count), (path, Values(await gateway.SendAsync(path, world.Token()), "RateLimit").Length));
        Assert.Empty(Values(await gateway.SendAsync("/limited/1"), "RateLimit"));
    }

    [Theory]
    [InlineData("FixedWindow")]
    [InlineData("SlidingWindow")]
    [InlineData("TokenBucket")]
    [InlineData("Concurrency")]
    [Trait("Category", "Redis")]
    public async Task With_Redis_what_is_left_is_what_all_replicas_left(string algorithm)
    {
        await using var world = await World.StartAsync();
        var window = algorithm == "Concurrency" ? "" : "\"Window\": \"01:00:00\",";
        var limit = $$"""{ "Algorithm": "{{algorithm}}", "PermitLimit": 3, {{window}} "Store": "Redis" }""";
        var first = await world.StartGatewayAsync(settings => Limit(settings, "Few", limit));
        var second = await world.StartGatewayAsync(settings => Limit(settings, "Few", limit));
        var token = world.Token();

        Assert.Equal(["\"Few\";r=2"], Values(await first.SendAsync("/limited/1", token), "RateLimit"));
        // A request that has ended is given back behind its caller.
        if (algorithm != "Concurrency") Assert.Equal(["\"Few\";r=1"], Values(await second.SendAsync("/limited/1", token), "RateLimit"));
    }

    private static string[] Values(Response response, string header) => response.Headers.TryGetValues(header, out var values) ? [.. values] : [];

    private static void Limit(JsonObject settings, string name, string limit) => settings
        .Set("RateLimiting:Policies", new JsonObject { [name] = JsonNode.Parse(limit) }.ToJsonString())
        .Route("limited", "/limited/{**rest}", $$"""{ "RateLimiterPolicy": "{{name}}" }""");
}
