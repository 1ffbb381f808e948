using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Testing;
using Xunit;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.Forwarding;

/// <summary>What may be sent again, and what of it arrives. Of a cluster's destinations, <c>a</c> is always tried first.</summary>
public sealed class RetryTests(RetryTests.Services platform) : IClassFixture<RetryTests.Services>
{
    private string Token => platform.World.Token("o-acme");

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task An_idempotent_request_goes_to_another_destination(string method)
    {
        var answer = await platform.SendAsync($"/once/hangs-up/{method}", Token, method);
        var down = await platform.SendAsync($"/once/down/{method}", Token, method);

        Assert.Equal((200, 200), (answer.Status, down.Status));
        Assert.Single(platform.Received($"/once/hangs-up/{method}"));
        Assert.Single(platform.Received($"/once/down/{method}"));
    }

    [Theory]
    [InlineData("POST", false)]
    [InlineData("PATCH", false)]
    [InlineData("POST", true)]
    [InlineData("PUT", true)]
    public async Task One_that_is_not_or_has_a_body_does_not(string method, bool hasBody)
    {
        var answer = await platform.SendAsync(
            $"/once/hangs-up/{method}", Token, method, request => request.Content = hasBody ? new ByteArrayContent([1]) : null);

        ErrorResponseAssert.Matches(502, "BadGateway", answer);
    }

    [Fact]
    public async Task None_does_on_a_route_that_does_not_say_so() =>
        ErrorResponseAssert.Matches(502, "BadGateway", await platform.SendAsync("/never/hangs-up/1", Token));

    [Fact]
    public async Task It_is_sent_again_as_often_as_the_route_says()
    {
        var before = platform.HangsUp.Requests;
        var once = await platform.SendAsync("/once/two-hang-up/1", Token);
        var afterOnce = platform.HangsUp.Requests;
        var twice = await platform.SendAsync("/twice/two-hang-up/1", Token);

        ErrorResponseAssert.Matches(502, "BadGateway", once);
        Assert.Equal(200, twice.Status);
        Assert.Equal((2, 4), (afterOnce - before, platform.HangsUp.Requests - before));
    }

    [Fact]
    public async Task A_destination_that_was_tried_is_not_tried_again()
    {
        var before = platform.HangsUp.Requests;

        ErrorResponseAssert.Matches(502, "BadGateway", await platform.SendAsync("/twice/alone/1", Token));

        Assert.Equal(1, platform.HangsUp.Requests - before);
    }

    [Fact]
    public async Task Silence_is_no_answer() => Assert.Equal(200, (await platform.SendAsync("/once/silent/1", Token)).Status);

    [Fact]
    public async Task A_services_error_is_its_answer()
    {
        Assert.Equal(503, (await platform.SendAsync("/once/sick/1", Token)).Status);

        Assert.Empty(platform.Received("/once/sick/1"));
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_an_answer()
    {
        await Assert.ThrowsAsync<HttpRequestException>(() => platform.SendAsync("/once/breaks-off/1", Token));

        Assert.Empty(platform.Received("/once/breaks-off/1"));
    }

    [Fact]
    public async Task Each_try_says_who_calls_and_what_transforms_add()
    {
        var answer = await platform.SendAsync("/once/hangs-up/identity", Token, change: request => request.Headers.Add("X-Gateway-Subject", "mallory"));

        var received = Assert.Single(platform.Received("/once/hangs-up/identity"));
        Assert.Equal(["alice"], received.Headers["X-Gateway-Subject"]);
        Assert.Equal(["yes"], received.Headers["X-Added"]);
        Assert.Equal(["yes"], answer.Headers.GetValues("X-Answered"));
    }

    [Fact]
    public async Task With_all_healthy_ones_tried_it_goes_to_one_that_is_taken_for_sick()
    {
        var cluster = platform.Gateway.Services.GetRequiredService<IProxyStateLookup>().GetClusters().Single(cluster => cluster.ClusterId == "taken-for-sick");
        platform.Gateway.Services.GetRequiredService<IDestinationHealthUpdater>()
            .SetPassive(cluster, cluster.Destinations["b"], DestinationHealth.Unhealthy, TimeSpan.FromHours(1));

        ErrorResponseAssert.Matches(502, "BadGateway", await platform.SendAsync("/never/taken-for-sick/1", Token));
        Assert.Equal(200, (await platform.SendAsync("/once/taken-for-sick/1", Token)).Status);
    }

    [Fact]
    public async Task A_POST_without_a_body_is_sent_once_even_where_a_connection_closes_before_any_answer()
    {
        var answer = await platform.SendAsync("/twice/closes/1", Token, "POST");

        ErrorResponseAssert.Matches(502, "BadGateway", answer);
        Assert.Equal(1, platform.Closes.Requests);
    }

    [Fact]
    public async Task For_a_client_that_left_nothing_is_sent_again()
    {
        using var leaves = new CancellationTokenSource();
        var before = platform.Silent.Requests;
        using var request = new HttpRequestMessage(HttpMethod.Get, platform.Gateway.Url + "/once/waits/1");
        request.Headers.Authorization = new("Bearer", Token);
        var sending = platform.World.Client.SendAsync(request, leaves.Token);
        await Eventually.IsTrueAsync(() => platform.Silent.Requests > before);

        await leaves.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        Assert.Empty(platform.Received("/once/waits/1"));
    }

    public sealed class Services : PlatformFixture
    {
        internal ScriptedService HangsUp { get; } = new("HTTP/1.1 ");

        internal ScriptedService Closes { get; } = new();

        internal ScriptedService Silent { get; } = new(stays: true);

        private readonly ScriptedService _sick = new("HTTP/1.1 503 Sick\r\nContent-Length: 0\r\n\r\n");
        private readonly ScriptedService _breaksOff = new("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");

        protected override void Change(JsonObject settings)
        {
            var live = World.Downstream.Url;
            Add("hangs-up", HangsUp.Url, live);
            Add("down", $"http://127.0.0.1:{FreePort.Find()}/", live);
            Add("two-hang-up", HangsUp.Url, HangsUp.Url, live);
            Add("alone", HangsUp.Url);
            Add("silent", Silent.Url, live);
            Add("waits", Silent.Url, live);
            Add("sick", _sick.Url, live);
            Add("breaks-off", _breaksOff.Url, live);
            Add("taken-for-sick", HangsUp.Url, live);
            Add("closes", Closes.Url, live);
            settings.Set("ReverseProxy:Clusters:silent:HttpRequest", """{ "ActivityTimeout": "00:00:03" }""");

            void Add(string name, params string[] destinations)
            {
                var cluster = new JsonObject { ["LoadBalancingPolicy"] = "FirstAlphabetical", ["Destinations"] = new JsonObject() };
                foreach (var (address, i) in destinations.Select((address, i) => (address, i)))
                    cluster["Destinations"]![((char)('a' + i)).ToString()] = new JsonObject { ["Address"] = address };
                settings.Set($"ReverseProxy:Clusters:{name}", cluster.ToJsonString());
                foreach (var (times, route) in new[] { (0, "never"), (1, "once"), (2, "twice") })
                {
                    settings.Route($"{name}-{route}", $"/{route}/{name}/{{**rest}}", $$"""
                        {
                          "ClusterId": "{{name}}", "Metadata": { "Retries": "{{times}}" },
                          "Transforms": [{ "RequestHeader": "X-Added", "Append": "yes" }, { "ResponseHeader": "X-Answered", "Append": "yes", "When": "Always" }]
                        }
                        """);
                }
            }
        }
    }
}
