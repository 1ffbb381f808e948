using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Tests.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Sandbox;
using Testing;
using Xunit;
using Yarp.ReverseProxy.Health;
using Yarp.ReverseProxy.Model;

namespace Gateway.Tests.LoadBalancing;

/// <summary>Weights over HTTP: what each service gets, what a change of the configuration moves, and what is left when a service fails.</summary>
public sealed class WeightTests : IAsyncDisposable
{
    private WeightedServices _services = null!;

    public async ValueTask DisposeAsync() => await _services.DisposeAsync();

    [Fact]
    public async Task Each_destination_gets_its_weight_of_the_requests_and_none_after_a_reload_that_takes_it_away()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=90 b=10");

        var counts = await _services.SendAsync(200);
        Assert.InRange(counts["a"], 178, 182);
        Assert.InRange(counts["b"], 18, 22);

        await _services.ChangeAsync("Weighted", "a=100 b=0");
        Assert.Equal(0, (await _services.SendAsync(50))["b"]);

        await _services.ChangeAsync("weighted", "a=1 b=1");
        Assert.InRange((await _services.SendAsync(50))["b"], 23, 27);
    }

    [Fact]
    public async Task No_request_arrives_at_a_destination_without_weight_even_while_requests_run()
    {
        _services = await WeightedServices.StartAsync("WeightedSticky", "a=50 b=50");
        using var stop = new CancellationTokenSource();
        var running = Enumerable.Range(0, 4).Select(async i =>
        {
            while (!stop.IsCancellationRequested) await _services.SendAsync($"caller-{i}-{Guid.NewGuid():N}");
        }).ToList();
        await Eventually.IsTrueAsync(() => _services["b"].Requests.Count() > 10);

        await _services.ChangeAsync("WeightedSticky", "a=50 b=0");
        // Requests that were matched before the reload have a destination by now, or are in flight to it.
        var before = _services["a"].Requests.Count();
        await Eventually.IsTrueAsync(() => _services["a"].Requests.Count() > before + 20);
        var atReload = _services["b"].Requests.Count();
        await Eventually.IsTrueAsync(() => _services["a"].Requests.Count() > before + 200);
        await stop.CancelAsync();
        await Task.WhenAll(running);

        Assert.Equal(atReload, _services["b"].Requests.Count());
    }

    [Fact]
    public async Task A_caller_stays_in_every_replica_and_after_a_restart_and_moves_only_when_its_destination_goes()
    {
        _services = await WeightedServices.StartAsync("WeightedSticky", "a=60 b=30 c=10");
        // So many that one of them is at c: their places depend on the issuer's address, and so on the run. Without any: 0.9^150, one run in seven million.
        string[] callers = [.. Enumerable.Range(0, 150).Select(static i => $"caller-{i}")];
        var first = await PlacesAsync();
        Assert.Equal(["a", "b", "c"], first.Values.Distinct().Order());

        Assert.Equal(first, await PlacesAsync());
        Assert.Equal(first, await PlacesAsync(await _services.StartGatewayAsync("WeightedSticky", "a=60 b=30 c=10")));

        await _services.SetHealthAsync("b", isHealthy: false);
        Assert.All(await PlacesAsync(), place => Assert.True(first[place.Key] == "b" ? place.Value != "b" : place.Value == first[place.Key]));
        await _services.SetHealthAsync("b", isHealthy: true);
        Assert.Equal(first, await PlacesAsync());

        await _services.ChangeAsync("WeightedSticky", "a=60 b=30");
        Assert.All(await PlacesAsync(), place => Assert.True(first[place.Key] == "c" ? place.Value != "c" : place.Value == first[place.Key]));
        // More for b: callers move to it, and nowhere else.
        await _services.ChangeAsync("WeightedSticky", "a=60 b=60 c=10");
        Assert.All(await PlacesAsync(), place => Assert.True(place.Value == first[place.Key] || place.Value == "b"));

        async Task<Dictionary<string, string>> PlacesAsync(RunningGateway? gateway = null)
        {
            var places = new Dictionary<string, string>();
            foreach (var caller in callers) places[caller] = await _services.SendAsync(caller, gateway);
            return places;
        }
    }

    [Fact]
    public async Task A_client_without_a_token_stays_by_its_address()
    {
        _services = await WeightedServices.StartAsync("WeightedSticky", "a=50 b=50 c=50");

        for (var i = 0; i < 20; i++) Assert.Equal(200, (await _services.Gateway.SendAsync("/open/1")).Status);

        Assert.Equal([0, 0, 20], new[] { "a", "b", "c" }.Select(name => _services[name].Requests.Count()).Order());
    }

    [Fact]
    public async Task Unhealthy_destinations_leave_their_share_to_the_others_but_not_to_those_without_weight()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=60 b=40 c=0");
        await _services.SetHealthAsync("a", isHealthy: false);
        Assert.Equal(20, (await _services.SendAsync(20))["b"]);

        await _services.SetHealthAsync("b", isHealthy: false);
        var response = await _services.Gateway.SendAsync("/weighted/1", _services.World.Token());

        ErrorResponseAssert.Matches(503, "ServiceUnavailable", response);
        Assert.Equal(0, _services["c"].Requests.Count());
        Assert.Contains("The cluster weighted has no healthy destination that takes requests", _services.Gateway.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Weighted")]
    [InlineData("WeightedSticky")]
    public async Task A_retry_goes_to_another_destination_and_to_none_without_weight(string policy)
    {
        _services = await WeightedServices.StartAsync(policy, "a=1000000 b=1 c=0");
        await _services["a"].DisposeAsync();

        for (var i = 0; i < 5; i++) Assert.Equal("b", await _services.SendAsync());

        await _services["b"].DisposeAsync();
        ErrorResponseAssert.Matches(502, "BadGateway", await _services.Gateway.SendAsync("/weighted/1", _services.World.Token()));
        await _services.ChangeAsync(policy, "a=1 c=0");
        ErrorResponseAssert.Matches(502, "BadGateway", await _services.Gateway.SendAsync("/weighted/1", _services.World.Token()));
        Assert.Equal(0, _services["c"].Requests.Count());
    }

    [Fact]
    public async Task A_session_at_a_destination_that_loses_its_weight_goes_on_at_another()
    {
        const string Affinity = """{ "SessionAffinity": { "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "instance" } }""";
        _services = await WeightedServices.StartAsync("Weighted", "a=1 b=0 c=0", Affinity);
        var cookie = Cookie(await _services.Gateway.SendAsync("/open/1"));
        await _services.ChangeAsync("Weighted", "a=0 b=1 c=1", Affinity);
        var before = _services["a"].Requests.Count();

        // It gets a new cookie, and stays where that says.
        cookie = Cookie(await SendAsync(cookie));
        for (var i = 0; i < 9; i++) Assert.False((await SendAsync(cookie)).Headers.Contains("Set-Cookie"));

        Assert.Equal(before, _services["a"].Requests.Count());
        Assert.Equal([0, 10], new[] { "b", "c" }.Select(name => _services[name].Requests.Count()).Order());

        static string Cookie(Response response) => response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];

        async Task<Response> SendAsync(string session)
        {
            var response = await _services.Gateway.SendAsync("/open/2", change: request => request.Headers.Add("Cookie", session));
            Assert.Equal(200, response.Status);
            return response;
        }
    }

    [Fact]
    public async Task A_session_begins_at_no_destination_that_failed()
    {
        _services = await WeightedServices.StartAsync(
            "Weighted", "a=1 b=0 c=0", """{ "SessionAffinity": { "Enabled": true, "Policy": "HashCookie", "AffinityKeyName": "instance" } }""");
        await _services["a"].DisposeAsync();

        var response = await _services.Gateway.SendAsync("/open/1", method: "POST");

        ErrorResponseAssert.Matches(502, "BadGateway", response);
        Assert.False(response.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_change_sends_nothing_to_a_destination_that_failed_its_health_checks_until_they_bring_it_back()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=50 b=50");
        await _services.SetHealthAsync("b", isHealthy: false);

        await _services.ChangeAsync("Weighted", "a=90 b=10");
        Assert.Equal(0, (await _services.SendAsync(20))["b"]);
        await _services.ChangeAsync("Weighted", "a=1 b=1");
        Assert.Equal(0, (await _services.SendAsync(20))["b"]);

        // A passive check's verdict ends after a minute.
        _services.Time.Advance(TimeSpan.FromSeconds(61));
        await Eventually.IsTrueAsync(() => _services.Cluster.DestinationsState.AvailableDestinations.Count == 2);
    }

    [Fact]
    public async Task A_change_keeps_what_active_health_checks_found_unless_it_changes_the_checks()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=50 b=50", Checks("/health"));
        var cluster = _services.Cluster;
        // YARP probes a new cluster at once. What that found must not come after what the test sets.
        await Eventually.IsTrueAsync(() => cluster.Destinations.Values.All(static each => each.Health.Active == DestinationHealth.Healthy));
        _services.Gateway.Services.GetRequiredService<IDestinationHealthUpdater>()
            .SetActive(cluster, [new(cluster.Destinations["b"], DestinationHealth.Unhealthy)]);

        await _services.ChangeAsync("Weighted", "a=90 b=10", Checks("/health"));
        Assert.Equal(["a"], Available());
        await _services.ChangeAsync("Weighted", "a=90 b=10", Checks("/healthy"));
        Assert.Equal(["a", "b"], Available());

        static string Checks(string path) => $$"""{ "HealthCheck": { "Active": { "Enabled": true, "Interval": "01:00:00", "Path": "{{path}}" } } }""";

        IEnumerable<string> Available() => _services.Cluster.DestinationsState.AvailableDestinations.Select(static each => each.DestinationId).Order();
    }

    [Fact]
    public async Task A_slow_start_that_is_added_or_made_longer_slows_no_destination_that_is_warm()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=50 b=0");
        await _services.ChangeAsync("Weighted", "a=50 b=50");
        await _services.SendAsync();

        await _services.ChangeAsync("Weighted", "a=50 b=50 c=50", SlowStart("00:10:00"));
        Assert.Equal(50 / 105.0, _services.ShareOf("b"), tolerance: 0.001);
        Assert.Equal(5 / 105.0, _services.ShareOf("c"), tolerance: 0.001);

        _services.Time.Advance(TimeSpan.FromMinutes(10));
        await _services.ChangeAsync("Weighted", "a=50 b=50 c=50", SlowStart("01:00:00"));
        foreach (var name in (string[])["b", "c"]) Assert.Equal(1 / 3.0, _services.ShareOf(name), tolerance: 0.001);

        static string SlowStart(string time) => $$"""{ "Metadata": { "SlowStart": "{{time}}" } }""";
    }

    [Theory]
    [InlineData("Weighted")]
    [InlineData("WeightedSticky")]
    public async Task A_destination_that_recovers_or_is_new_starts_slowly(string policy)
    {
        const string SlowStart = """{ "Metadata": { "SlowStart": "00:10:00" } }""";
        _services = await WeightedServices.StartAsync(policy, "a=50 b=50", SlowStart);
        await AssertSharesAsync(0.5, 0.5, 0);

        await _services.SetHealthAsync("b", isHealthy: false);
        await AssertSharesAsync(1, 0, 0);
        await _services.SetHealthAsync("b", isHealthy: true);
        await AssertSharesAsync(1 / 1.1, 0.1 / 1.1, 0);
        _services.Time.Advance(TimeSpan.FromMinutes(5));
        await AssertSharesAsync(1 / 1.55, 0.55 / 1.55, 0);

        // A reload in between neither restarts it nor ends it.
        await _services.ChangeAsync(policy, "a=50 b=50 c=100", SlowStart);
        await AssertSharesAsync(50 / 87.5, 27.5 / 87.5, 10 / 87.5);
        _services.Time.Advance(TimeSpan.FromMinutes(5));
        await AssertSharesAsync(50 / 155.0, 50 / 155.0, 55 / 155.0);
        _services.Time.Advance(TimeSpan.FromMinutes(5));
        await AssertSharesAsync(0.25, 0.25, 0.5);

        // A weight of 0 is no service: with a weight again it is as cold as a new one.
        await _services.ChangeAsync(policy, "a=50 b=0 c=50", SlowStart);
        await AssertSharesAsync(0.5, 0, 0.5);
        await _services.ChangeAsync(policy, "a=50 b=50 c=50", SlowStart);
        await AssertSharesAsync(50 / 105.0, 5 / 105.0, 50 / 105.0);

        async Task AssertSharesAsync(double a, double b, double c)
        {
            await _services.SendAsync(5);
            foreach (var (name, share) in new[] { ("a", a), ("b", b), ("c", c) })
                if (_services.Cluster.Destinations.ContainsKey(name)) Assert.Equal(share, _services.ShareOf(name), tolerance: 0.001);
        }
    }

    [Fact]
    public async Task Addresses_of_a_service_by_name_share_the_weight_of_their_destination()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=1 b=1");
        await _services.Gateway.ChangeAsync(settings => settings
            .Set("Services:stable:Http", JsonSerializer.Serialize(new[] { "a", "b" }.Select(name => new Uri(_services[name].Url).Authority)))
            .Set("ReverseProxy:Clusters:weighted:Destinations", $$"""
                {
                  "stable": { "Address": "http://stable/", "Metadata": { "Weight": "80" } },
                  "canary": { "Address": "{{_services["c"].Url}}", "Metadata": { "Weight": "20" } }
                }
                """));
        Assert.False(_services.Gateway.IsConfigurationRefused, _services.Gateway.Log.Text);

        var counts = await _services.SendAsync(100);

        Assert.Equal(3, _services.Cluster.Destinations.Count);
        Assert.All(new[] { "a", "b" }, name => Assert.InRange(counts[name], 37, 43));
        Assert.InRange(counts["c"], 18, 22);
    }

    [Fact]
    public async Task A_WebSocket_that_the_service_breaks_off_is_an_upgrade_that_failed()
    {
        await using var service = new StubTcpServer(static async (stream, ended) =>
        {
            var request = new byte[16 * 1024];
            var key = Encoding.Latin1.GetString(request, 0, await stream.ReadAsync(request, ended)).Split("Sec-WebSocket-Key: ")[1].Split("\r\n")[0];
#pragma warning disable CA5350 // RFC 6455 asks for SHA-1.
            var accepted = Convert.ToBase64String(SHA1.HashData(Encoding.Latin1.GetBytes(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
#pragma warning restore CA5350
            await stream.WriteAsync(Encoding.Latin1.GetBytes(
                $"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accepted}\r\n\r\n"), ended);
            // After the client's first message: a reset, as when a process is killed.
            _ = await stream.ReadAsync(request, ended);
            var connection = ((NetworkStream)stream).Socket;
            connection.LingerState = new LingerOption(enable: true, seconds: 0);
            connection.Dispose();
        });
        _services = await WeightedServices.StartAsync("Weighted", "a=1");
        await _services.Gateway.ChangeAsync(settings =>
            settings.Set("ReverseProxy:Clusters:weighted:Destinations:a:Address", $"\"http://127.0.0.1:{service.Port}/\""));
        Assert.False(_services.Gateway.IsConfigurationRefused, _services.Gateway.Log.Text);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"{_services.Gateway.Url.Replace("http", "ws", StringComparison.Ordinal)}/open/socket"), CancellationToken.None);

        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ReceiveAsync(new byte[16], CancellationToken.None));

        Scrape scrape = null!;
        await Eventually.IsTrueAsync(async () =>
        {
            scrape = await Scrape.ReadAsync(_services.World, _services.Gateway);
            return Count("upgrade_failed") == 1;
        }, () => string.Join('\n', scrape.Lines.Where(static line => line.Name.EndsWith("destination_duration_seconds_count", StringComparison.Ordinal))));
        Assert.Equal((0, 0), (Count("upgrade"), Count("failed")));

        double Count(string status) =>
            scrape.Sum("gateway_destination_duration_seconds_count", "cluster=\"weighted\"", "destination=\"a\"", $"status=\"{status}\"") ?? 0;
    }

    [Fact]
    public async Task The_console_and_a_metric_compare_the_destinations()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=75 b=25 c=0");
        var operators = _services.World.Issuer.Issue(new TokenRequest { Subject = "oscar", Roles = ["platform-operator"] });
        await ClusterAsync();
        await _services.SendAsync(8);
        var token = _services.World.Token();
        for (var i = 0; i < 4; i++) Assert.Equal(500, (await _services.Gateway.SendAsync("/weighted/status/500", token)).Status);
        using (var socket = new ClientWebSocket())
        {
            await socket.ConnectAsync(new Uri($"{_services.Gateway.Url.Replace("http", "ws", StringComparison.Ordinal)}/open/socket"), CancellationToken.None);
        }

        await _services["b"].DisposeAsync();
        await _services.ChangeAsync("Weighted", "a=1 b=1 c=0");
        await _services.SendAsync(8);

        Scrape scrape = null!;
        await Eventually.IsTrueAsync(async () =>
        {
            scrape = await Scrape.ReadAsync(_services.World, _services.Gateway);
            return Count("a", "upgrade") + Count("b", "upgrade") == 1 && Count("b", "failed") > 0;
        }, () => string.Join('\n', scrape.Lines.Where(static line => line.Name.EndsWith("destination_duration_seconds_count", StringComparison.Ordinal))));
        Assert.Equal((16, 4), (Count("a", "2xx") + Count("b", "2xx"), Count("a", "5xx") + Count("b", "5xx")));
        Assert.Equal(0, Count("c", "2xx"));

        var destinations = (await ClusterAsync()).GetProperty("destinations").EnumerateArray()
            .ToDictionary(static row => row.GetProperty("destination").GetString()!);
        Assert.Equal((1, 0.5), (destinations["a"].GetProperty("weight").GetInt32(), destinations["a"].GetProperty("share").GetDouble()));
        Assert.Equal((0, 0), (destinations["c"].GetProperty("weight").GetInt32(), destinations["c"].GetProperty("share").GetDouble()));
        Assert.True(destinations["a"].GetProperty("live").GetProperty("rate").GetDouble() > 0);
        Assert.True(destinations["b"].GetProperty("live").GetProperty("errorRate").GetDouble() > 0);
        Assert.False(destinations["c"].TryGetProperty("live", out _));

        double Count(string destination, string status) => scrape.Sum(
            "gateway_destination_duration_seconds_count", "cluster=\"weighted\"", $"destination=\"{destination}\"", $"status=\"{status}\"") ?? 0;

        async Task<JsonElement> ClusterAsync() =>
            (await _services.World.Client.SendAsync($"{_services.Gateway.ManagementUrl}/api/clusters", operators)).Json.GetProperty("clusters").EnumerateArray()
            .Single(static cluster => cluster.GetProperty("cluster").GetString() == "weighted");
    }
}
