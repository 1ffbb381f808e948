using System.Text.Json.Nodes;
using Sandbox;
using Testing;
using Xunit;

namespace Gateway.Tests.RateLimiting;

public sealed class RateLimitTests(RateLimitTests.Limits platform) : IClassFixture<RateLimitTests.Limits>
{
    private static readonly string[] s_windows = ["FixedWindow", "SlidingWindow", "TokenBucket"];
    private static readonly string[] s_partitions = ["Organization", "Subject", "ClientIp", "Route"];

    public static TheoryData<string> Windows => [.. s_windows];

    [Theory]
    [MemberData(nameof(Windows))]
    public async Task Over_the_limit_is_429_with_the_time_to_wait(string algorithm)
    {
        var path = $"/limited/{algorithm}/1";
        Assert.Equal(200, (await platform.SendAsync(path, platform.Of("alice"))).Status);
        Assert.Equal(200, (await platform.SendAsync(path, platform.Of("alice"))).Status);

        var answer = await platform.SendAsync(path, platform.Of("alice"));

        ErrorResponseAssert.Matches(429, "TooManyRequests", answer);
        Assert.True(answer.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal(2, platform.Received(path).Count);
    }

    [Fact]
    public async Task Concurrency_counts_requests_in_flight()
    {
        var hang = platform.World.Aws.Inject(AwsFault.Hang(), "AssumeRole", call => call.AssumeRole?.RoleSessionName == "o-busy");
        var first = platform.Gateway.VendAsync("o-busy");
        await platform.World.Aws.Calls.WaitForAsync(
            call => call.AssumeRole?.RoleSessionName == "o-busy", cancellationToken: TestContext.Current.CancellationToken);

        var second = await platform.Gateway.VendAsync("o-busy");
        var other = await platform.Gateway.VendAsync("o-idle");
        hang.Dispose();

        ErrorResponseAssert.Matches(429, "TooManyRequests", second);
        Assert.True(second.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.Equal(200, other.Status);
        Assert.Equal(200, (await first).Status);
        Assert.Equal(200, (await platform.Gateway.VendAsync("o-busy")).Status);
    }

    [Fact]
    public async Task Organizations_do_not_share_a_limit_and_their_members_do()
    {
        var both = (string[])["o-a", "o-b"];
        Assert.Equal(200, (await platform.SendAsync("/by/Organization/o-a/1", platform.Of("alice", both))).Status);

        Assert.Equal(429, (await platform.SendAsync("/by/Organization/o-a/1", platform.Of("bob", both))).Status);
        Assert.Equal(200, (await platform.SendAsync("/by/Organization/o-b/1", platform.Of("alice", both))).Status);
    }

    [Fact]
    public async Task Subjects_do_not_share_a_limit_not_even_of_one_name()
    {
        var both = (string[])["o-a", "o-b"];
        Assert.Equal(200, (await platform.SendAsync("/by/Subject/o-a/1", platform.Of("alice", both))).Status);

        Assert.Equal(429, (await platform.SendAsync("/by/Subject/o-b/1", platform.Of("alice", both))).Status);
        Assert.Equal(200, (await platform.SendAsync("/by/Subject/o-a/1", platform.Of("bob", both))).Status);
        Assert.Equal(200, (await platform.SendAsync("/by/Subject/o-a/1", platform.Other.Issue(new() { Subject = "alice", Organizations = both }))).Status);
    }

    [Fact]
    public async Task S11_an_organization_that_a_caller_names_and_need_not_belong_to_is_no_count_of_its_own()
    {
        Assert.Equal(200, (await platform.SendAsync("/claimed/o-a/1", platform.Of("mallory"))).Status);

        // No escape by another name, and nobody else's limit is used up; not even by a member, since the route proves no membership.
        Assert.Equal(429, (await platform.SendAsync("/claimed/o-b/1", platform.Of("mallory"))).Status);
        Assert.Equal(429, (await platform.SendAsync("/claimed/o-c/1", platform.Of("mallory", "o-c"))).Status);
        Assert.Equal(200, (await platform.SendAsync("/claimed/o-a/1", platform.Of("alice", "o-a"))).Status);
        Assert.Equal(200, (await platform.SendAsync("/claimed/o-a/1", platform.Other.Issue(new() { Subject = "mallory" }))).Status);
        Assert.Equal(200, (await platform.SendAsync("/by/Organization/o-d/1", platform.Of("dora", "o-d"))).Status);
        Assert.Equal(429, (await platform.SendAsync("/by/Organization/o-d/1", platform.Of("dan", "o-d"))).Status);
    }

    [Fact]
    public async Task S11_a_route_without_an_organization_counts_callers_and_an_open_one_addresses()
    {
        Assert.Equal(200, (await platform.SendAsync("/nameless/1", platform.Of("erin", "o-e"))).Status);
        Assert.Equal(429, (await platform.SendAsync("/nameless/1", platform.Of("erin", "o-f"))).Status);
        Assert.Equal(200, (await platform.SendAsync("/nameless/1", platform.Of("frank", "o-e"))).Status);
        Assert.Equal(200, (await platform.SendAsync("/unnamed/1")).Status);
        Assert.Equal(429, (await platform.SendAsync("/unnamed/1")).Status);
    }

    [Theory]
    [InlineData("ClientIp")]
    [InlineData("Route")]
    public async Task An_address_and_a_route_have_one_limit_for_all_callers(string partition)
    {
        Assert.Equal(200, (await platform.SendAsync($"/by/{partition}/o-a/1", platform.Of("alice", "o-a"))).Status);

        Assert.Equal(429, (await platform.SendAsync($"/by/{partition}/o-b/1", platform.Of("bob", "o-b"))).Status);
    }

    [Fact]
    public async Task Routes_do_not_share_a_limit_by_route()
    {
        Assert.Equal(200, (await platform.SendAsync("/route-1/1", platform.Of("alice"))).Status);
        Assert.Equal(200, (await platform.SendAsync("/route-2/1", platform.Of("alice"))).Status);

        Assert.Equal(429, (await platform.SendAsync("/route-1/1", platform.Of("alice"))).Status);
    }

    [Fact]
    public async Task A_client_cannot_choose_its_address()
    {
        Assert.Equal(200, (await platform.SendAsync("/by-address/1", platform.Of("alice"))).Status);

        var answer = await platform.SendAsync("/by-address/1", platform.Of("alice"), change: request => request.Headers.Add("X-Forwarded-For", "203.0.113.7"));

        Assert.Equal(429, answer.Status);
    }

    public sealed class Limits : PlatformFixture
    {
        public OpenIdProvider Other { get; private set; } = null!;

        public string Of(string subject, params string[] organizations) => World.Issuer.Issue(new() { Subject = subject, Organizations = organizations });

        protected override async ValueTask PrepareAsync() => Other = await OpenIdProvider.StartAsync();

        protected override void Change(JsonObject settings)
        {
            settings.Set("Authentication:Schemes:Other", $$"""
                {
                  "Authority": "{{Other.Issuer}}", "RequireHttpsMetadata": false, "ValidAudiences": ["api://gateway"],
                  "Organizations": { "Claim": "organizations", "Format": "Array" }
                }
                """);
            foreach (var algorithm in s_windows)
            {
                Add(algorithm, algorithm, "Subject", 2);
                settings.Route(algorithm, $"/limited/{algorithm}/{{**rest}}", $$"""{ "RateLimiterPolicy": "{{algorithm}}" }""");
            }

            foreach (var partition in s_partitions)
            {
                Add(partition, "FixedWindow", partition, 1);
                settings.Route($"by-{partition}", $"/by/{partition}/{{organizationId}}/{{**rest}}", $$"""
                    { "AuthorizationPolicy": "OrganizationMember", "RateLimiterPolicy": "{{partition}}" }
                    """);
            }

            Add("Address", "FixedWindow", "ClientIp", 1);
            Add("Claimed", "FixedWindow", "Organization", 1);
            settings
                .Route("claimed", "/claimed/{organizationId}/{**rest}", """{ "RateLimiterPolicy": "Claimed", "Metadata": { "AnyOrganization": "true" } }""")
                .Route("nameless", "/nameless/{**rest}", """{ "RateLimiterPolicy": "Claimed" }""")
                .Route("unnamed", "/unnamed/{**rest}", """{ "RateLimiterPolicy": "Claimed", "AuthorizationPolicy": "Anonymous" }""")
                .Route("route-1", "/route-1/{**rest}", """{ "RateLimiterPolicy": "Route" }""")
                .Route("route-2", "/route-2/{**rest}", """{ "RateLimiterPolicy": "Route" }""")
                .Route("by-address", "/by-address/{**rest}", """{ "RateLimiterPolicy": "Address" }""")
                .Set("RateLimiting:Policies:Concurrent", """{ "Algorithm": "Concurrency", "PartitionBy": "Organization", "PermitLimit": 1 }""")
                .Set("ReverseProxy:Routes:iot-endpoint-and-credentials:RateLimiterPolicy", "\"Concurrent\"");

            void Add(string name, string algorithm, string partition, int limit) => settings.Set($"RateLimiting:Policies:{name}", $$"""
                { "Algorithm": "{{algorithm}}", "PartitionBy": "{{partition}}", "PermitLimit": {{limit}}, "Window": "01:00:00" }
                """);
        }
    }
}
