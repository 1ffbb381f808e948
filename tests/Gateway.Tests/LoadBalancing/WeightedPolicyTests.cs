using System.Collections.Frozen;
using System.Security.Claims;
using Gateway.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using Yarp.ReverseProxy.LoadBalancing;

namespace Gateway.Tests.LoadBalancing;

/// <summary>A hundred thousand requests at the running gateway's own policies, which would take minutes over HTTP.</summary>
public sealed class WeightedPolicyTests : IAsyncDisposable
{
    private const int Requests = 100_000;
    private WeightedServices _services = null!;

    public async ValueTask DisposeAsync() => await _services.DisposeAsync();

    [Fact]
    public async Task Weights_hold_within_a_hundredth_of_each_share()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=90 b=10");
        var counts = new Dictionary<string, int> { ["a"] = 0, ["b"] = 0 };

        for (var i = 0; i < Requests; i++) counts[Pick("Weighted", new DefaultHttpContext())]++;

        Assert.InRange(counts["a"], 90_000 * 0.99, 90_000 * 1.01);
        Assert.InRange(counts["b"], 10_000 * 0.99, 10_000 * 1.01);
    }

    [Fact]
    public async Task Requests_that_come_in_parallel_or_in_a_rhythm_are_shared_alike()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=98 b=1 c=1");
        var counts = new int[2];

        // Each second request is of another kind. Neither kind may miss the canary.
        await Parallel.ForAsync(0, Requests, (i, _) =>
        {
            if (Pick("Weighted", new DefaultHttpContext()) == "b") Interlocked.Increment(ref counts[i % 2]);
            return default;
        });

        Assert.InRange(counts.Sum(), 990, 1010);
        Assert.All(counts, static count => Assert.InRange(count, 350, 650));
    }

    [Fact]
    public async Task Retries_go_to_all_that_are_left_and_do_not_change_the_shares_of_first_attempts()
    {
        _services = await WeightedServices.StartAsync("Weighted", "a=1 b=1 c=1");
        var (first, retried) = (Counts(), Counts());

        for (var i = 0; i < 3_000; i++)
        {
            var picked = Pick("Weighted", new DefaultHttpContext());
            first[picked]++;
            if (picked != "a") continue;
            var left = _services.Weights.TakingRequests.Where(static destination => destination.DestinationId != "a").ToArray();
            retried[Policy("Weighted").PickDestination(new DefaultHttpContext(), _services.Cluster, left)!.DestinationId]++;
        }

        Assert.All(first.Values, static count => Assert.InRange(count, 990, 1010));
        Assert.InRange(retried["b"], 350, 650);
        Assert.InRange(retried["c"], 350, 650);

        static Dictionary<string, int> Counts() => new() { ["a"] = 0, ["b"] = 0, ["c"] = 0 };
    }

    [Fact]
    public async Task No_caller_moves_unless_its_destination_goes_or_another_weighs_more()
    {
        _services = await WeightedServices.StartAsync("WeightedSticky", "a=90 b=10");
        HttpContext[] callers = [.. Enumerable.Range(0, Requests).Select(static i => Caller($"https://id-{i % 3}.example.com", $"caller-{i / 3}"))];
        var first = Places();
        Assert.InRange(first.Count(static place => place == "b"), 9_000, 11_000);
        Assert.Equal(first, Places());

        // The same proportion in other numbers is the same.
        await _services.ChangeAsync("WeightedSticky", "a=9 b=1");
        Assert.Equal(first, Places());

        await _services.ChangeAsync("WeightedSticky", "a=50 b=50");
        var half = Places();
        AssertMoved(first, half, "a", "b");
        Assert.InRange(half.Count(static place => place == "b"), 49_000, 51_000);

        await _services.ChangeAsync("WeightedSticky", "a=50 b=50 c=25");
        var three = Places();
        Assert.All(half.Zip(three), static move => Assert.True(move.First == move.Second || move.Second == "c"));
        Assert.InRange(three.Count(static place => place == "c"), 19_000, 21_000);

        await _services.ChangeAsync("WeightedSticky", "a=50 b=0 c=25");
        Assert.All(three.Zip(Places()), static move => Assert.True(move.First == "b" ? move.Second is "a" or "c" : move.First == move.Second));
        await _services.ChangeAsync("WeightedSticky", "a=90 b=10");
        Assert.Equal(first, Places());

        string[] Places() => [.. callers.Select(caller => Pick("WeightedSticky", caller))];
    }

    // This is a fact of deployed replicas: another version has to put a caller where this one does.
    [Fact]
    public async Task The_place_of_a_caller_is_the_same_in_each_version()
    {
        _services = await WeightedServices.StartAsync("WeightedSticky", "a=50 b=50 c=50");

        var places = string.Concat(Enumerable.Range(0, 16).Select(i => Pick("WeightedSticky", Caller("https://id.example.com", $"caller-{i}"))));

        Assert.Equal("aacbaaccbabaabba", places);
    }

    private static void AssertMoved(string[] before, string[] after, string from, string to) =>
        Assert.All(before.Zip(after), move => Assert.True(move.First == move.Second || (move.First == from && move.Second == to)));

    private static DefaultHttpContext Caller(string issuer, string subject) => new()
    {
        User = new ClaimsPrincipal(new CallerIdentity(issuer, subject, DateTimeOffset.MaxValue)
        {
            Scheme = "Platform",
            NotBefore = DateTimeOffset.MinValue,
            Organizations = FrozenSet<string>.Empty,
            Roles = FrozenSet<string>.Empty,
            Scopes = FrozenSet<string>.Empty,
        }),
    };

    // As YARP does: a policy is not asked about one destination.
    private string Pick(string policy, HttpContext context)
    {
        var cluster = _services.Cluster;
        var taking = _services.Weights.TakingRequests;
        return (taking.Count == 1 ? taking[0] : Policy(policy).PickDestination(context, cluster, taking)!).DestinationId;
    }

    private ILoadBalancingPolicy Policy(string name) =>
        _services.Gateway.Services.GetServices<ILoadBalancingPolicy>().Single(policy => policy.Name == name);
}
