using System.Diagnostics.Metrics;
using System.Text.Json;
using Gateway.Recording;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Gateway.Tests.Recording;

/// <summary>The recorders of the console keep little, whatever callers, organizations and paths there are.</summary>
public sealed class RecorderTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly VendRecorder _vends;
    private readonly DestinationRecorder _destinations;
    private readonly TrafficRecorder _traffic;

    public RecorderTests()
    {
        _vends = new VendRecorder(_services.GetRequiredService<IMeterFactory>(), _time);
        _destinations = new DestinationRecorder(_services.GetRequiredService<IMeterFactory>(), _time);
        _traffic = new TrafficRecorder(_vends, _destinations, _time);
    }

    [Fact]
    public void Nothing_is_recorded_until_a_console_looks_and_15_minutes_after_the_last_look()
    {
        Add();
        Assert.False(_traffic.IsOn);
        Assert.Empty(_traffic.LastRefused(null));

        _traffic.Look();
        Add();
        _time.Advance(TimeSpan.FromMinutes(14));
        _traffic.Look();
        _time.Advance(TimeSpan.FromMinutes(14));
        Assert.True(_traffic.IsOn);
        Assert.Single(_traffic.LastRefused(null));

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(_traffic.IsOn);
        Assert.Null(_traffic.Since);
        Assert.Empty(_traffic.LastRefused(null));

        void Add()
        {
            _traffic.Add("a", 403, "policy", TimeSpan.Zero);
            _traffic.Refused(Request("a", "o-acme", "alice", "/"));
        }
    }

    [Fact]
    public void Ten_thousand_organizations_subjects_and_routes_are_bounded_in_number_and_bytes()
    {
        _traffic.Look();
        for (var i = 0; i < 10_000; i++)
        {
            var (organization, subject) = ($"o-{new string('a', 58)}{i:D4}", $"{i}{new string('s', 4000)}");
            _vends.Vended(_time.GetUtcNow(), organization, subject, "default", "Sts");
            _traffic.Add($"route-{i}", 403, "policy", TimeSpan.FromMilliseconds(1));
            _traffic.Refused(Request($"route-{i}", organization, subject, $"/{new string('p', 4000)}"));
        }

        var kept = Enumerable.Range(0, 10_000).Sum(i => JsonSerializer.Serialize(_traffic.LastRefused($"route-{i}")).Length);
        Assert.Equal(VendRecorder.MostOrganizations, _vends.Organizations().Count);
        Assert.EndsWith("9999", _vends.Organizations()[0].Organization, StringComparison.Ordinal);
        Assert.Equal(100, _vends.Recent().Count);
        Assert.Equal(100, _traffic.LastRefused(null).Count);
        Assert.Single(_traffic.LastRefused("route-0"));
        Assert.Empty(_traffic.LastRefused($"route-{TrafficRecorder.MostRoutes}"));
        Assert.InRange(kept, 1, 2_000_000);
        Assert.InRange(JsonSerializer.Serialize(_traffic.LastRefused(null)).Length, 1, 100_000);
        Assert.InRange(JsonSerializer.Serialize(_vends.Organizations()).Length, 1, 150_000);
    }

    [Theory]
    [InlineData(0, 0.0, true)]
    [InlineData(TrafficRecorder.MostRoutes - 1, 0.0, true)]
    [InlineData(TrafficRecorder.MostRoutes, null, false)]
    [InlineData(TrafficRecorder.MostRoutes + 300, null, false)]
    public void A_route_that_there_is_no_room_for_is_not_recorded_and_is_not_idle(int others, double? rate, bool isRecorded)
    {
        _traffic.Look();
        for (var i = 0; i < others; i++) _traffic.Add($"route-{i}", 200, null, TimeSpan.Zero);

        Assert.Equal((rate, isRecorded), (_traffic.LastMinute("late")?.Rate, _traffic.IsRecorded("late")));
        _traffic.Add("late", 401, "no_token", TimeSpan.Zero);
        _traffic.Refused(Request("late", "o-acme", "alice", "/"));
        Assert.Equal((isRecorded, isRecorded ? 1 : 0), (_traffic.LastMinute("late")?.RefusedRate > 0, _traffic.LastRefused("late").Count));
        Assert.NotNull(_traffic.LastMinute(null));

        _traffic.Keep(new HashSet<string> { "late" });
        Assert.True(_traffic.IsRecorded("late"));
    }

    [Theory]
    [InlineData("CredentialRefused")]
    [InlineData("ClientLockedOut", "ConnectionRefused")]
    [InlineData("CredentialRefused", "ClientLockedOut", "ConnectionRefused", "LimitFull", "DestinationUnhealthy", "DestinationHealthy")]
    public void Events_that_strangers_cause_do_not_push_out_changes_of_the_configuration(params string[] caused)
    {
        using var events = new EventRecorder(_traffic, _vends, _time);
        var log = events.CreateLogger("Gateway.Reloading.ConfigurationReloader");
        Log("ConfigurationApplied", "first");
        for (var i = 0; i < 1_000; i++)
            foreach (var name in caused) Log(name, $"{i}");
        Log("ConfigurationRefused", "last");

        var kept = events.Newest();
        Assert.Equal(("last", "first"), (kept[0].Text, kept[^1].Text));
        Assert.Equal("999", kept[1].Text);
        Assert.InRange(kept.Count, 2 + (10 * caused.Length), 200);

        void Log(string name, string text) => log.Log(LogLevel.Information, new EventId(1, name), text, null, static (text, _) => text);
    }

    [Fact]
    public void A_route_keeps_its_last_ten_refused_requests_and_goes_when_it_no_longer_exists()
    {
        _traffic.Look();
        for (var i = 0; i < 25; i++) _traffic.Refused(Request("a", "o-acme", "alice", $"/{i}"));
        _traffic.Refused(Request("b", "o-acme", "alice", "/b"));

        Assert.Equal(Enumerable.Range(15, 10).Reverse().Select(static i => $"/{i}"), _traffic.LastRefused("a").Select(static request => request.Path));

        _traffic.Keep(new HashSet<string> { "b" });
        Assert.Empty(_traffic.LastRefused("a"));
        Assert.Single(_traffic.LastRefused("b"));
    }

    [Fact]
    public void Rates_and_latencies_are_those_of_the_last_minute_and_the_series_has_15()
    {
        _traffic.Look();
        for (var second = 0; second < 120; second++)
        {
            for (var i = 0; i < 10; i++) _traffic.Add("a", i == 0 ? 500 : 200, null, TimeSpan.FromMilliseconds(i == 0 ? 400 : 4));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        var minute = _traffic.LastMinute("a")!;
        Assert.InRange(minute.Rate, 9, 11);
        Assert.InRange(minute.ErrorRate, 0.9, 1.1);
        Assert.InRange(minute.P50!.Value, 3, 5);
        Assert.InRange(minute.P99!.Value, 300, 500);
        Assert.Equal(1200, _traffic.Series().Sum(static slot => slot.Requests));

        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal((0, null), (_traffic.LastMinute("a")!.Rate, _traffic.LastMinute("a")!.P99));
        Assert.Equal(1200, _traffic.Series().Sum(static slot => slot.Requests));
    }

    [Fact]
    public async Task Requests_that_are_counted_at_the_same_time_are_all_counted()
    {
        _traffic.Look();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 5_000; i++) _traffic.Add("a", 200, null, TimeSpan.FromMilliseconds(1));
        })));

        Assert.Equal(40_000, _traffic.Series().Sum(static slot => slot.Requests));
    }

    public void Dispose()
    {
        _traffic.Dispose();
        _vends.Dispose();
        _destinations.Dispose();
        _services.Dispose();
    }

    private RefusedRequest Request(string route, string organization, string subject, string path) =>
        RefusedRequest.Of(_time.GetUtcNow(), route, "GET", path, 403, "policy", organization, "https://id.example.com", subject, Guid.NewGuid().ToString("N"));
}
