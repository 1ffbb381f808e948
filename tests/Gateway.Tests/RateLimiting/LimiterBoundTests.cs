using System.Threading.RateLimiting;
using Gateway.Configuration;
using Gateway.RateLimiting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Testing;
using Xunit;

namespace Gateway.Tests.RateLimiting;

/// <summary>A stranger with any number of addresses takes a bounded part of the memory, and none of the counts that were there before.</summary>
public sealed class LimiterBoundTests
{
    private const int Most = 1_000;
    private const int Strangers = 50_000;

    public static readonly TheoryData<string> Algorithms = [.. Enum.GetNames<RateLimitAlgorithm>()];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public async Task Callers_beyond_the_bound_share_limiters_and_those_before_keep_theirs(string algorithm)
    {
        using var log = new LogLines();
        using var loggers = new LoggerFactory([log]);
        var factory = new InProcessLimiterFactory(new FakeTimeProvider(), loggers.CreateLogger<InProcessLimiterFactory>()) { MostCallers = Most };
        var limiter = PartitionedRateLimiter.Create<(string Limit, string Caller), LimitKey>(
            request => factory.Partition(new LimitKey(request.Limit, Options(algorithm, permits: 3), request.Caller)));
        var leases = new List<RateLimitLease>();
        Assert.True(Take("PerAddress", "refused before"));
        Assert.True(Take("PerAddress", "refused before"));
        Assert.True(Take("PerAddress", "refused before"));
        Assert.False(Take("PerAddress", "refused before"));
        Assert.True(Take("PerAddress", "served before"));

        var served = Enumerable.Range(0, Strangers).Count(i => Take("PerAddress", $"2001:db8:{i:x}::"));

        Assert.Equal(Most, factory.CountOf("PerAddress"));
        Assert.InRange(served, Most, Most + (3 * InProcessLimiterFactory.SharedLimiters));
        Assert.False(Take("PerAddress", "refused before"));
        Assert.True(Take("PerAddress", "served before"));
        // Another limit is not full.
        Assert.True(Take("PerOrganization", "o-acme"));
        Assert.Equal(1, factory.CountOf("PerOrganization"));
        // The log tells of it once a minute.
        Assert.Contains("The limit PerAddress counts 1000 callers", Assert.Single(log.Problems), StringComparison.Ordinal);

        leases.ForEach(static lease => lease.Dispose());
        await limiter.DisposeAsync();
        Assert.Equal((0, 0), (factory.CountOf("PerAddress"), factory.CountOf("PerOrganization")));

        bool Take(string limit, string caller)
        {
            var lease = limiter.AttemptAcquire((limit, caller));
            leases.Add(lease);
            return lease.IsAcquired;
        }
    }

    [Fact]
    public async Task Callers_count_for_themselves_again_once_others_have_ended()
    {
        var clock = new FakeTimeProvider();
        var factory = new InProcessLimiterFactory(clock, NullLogger<InProcessLimiterFactory>.Instance) { MostCallers = Most };
        await using var limiter = PartitionedRateLimiter.Create<string, LimitKey>(
            caller => factory.Partition(new LimitKey("PerAddress", Options(nameof(RateLimitAlgorithm.FixedWindow), permits: 1), caller)));
        for (var i = 0; i < 2 * Most; i++) limiter.AttemptAcquire($"{i}");
        Assert.Equal(Most, factory.CountOf("PerAddress"));

        clock.Advance(TimeSpan.FromHours(2));

        // The framework drops idle limiters at intervals of the real clock.
        await Eventually.IsTrueAsync(() => factory.CountOf("PerAddress") == 0, () => $"{factory.CountOf("PerAddress")} limiters");
        Assert.True(limiter.AttemptAcquire("new").IsAcquired);
        Assert.Equal(1, factory.CountOf("PerAddress"));
    }

    private static RateLimitPolicyOptions Options(string algorithm, int permits) => new()
    {
        Algorithm = Enum.Parse<RateLimitAlgorithm>(algorithm),
        PermitLimit = permits,
        Window = TimeSpan.FromHours(1),
    };
}
