using System.Diagnostics.Metrics;
using IotCredentials.Aws;
using IotCredentials.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace IotCredentials.Tests.Vending;

public sealed class StsRateLimiterTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task AcquireAsync_AtTheCeilingOfCallsAtOnce_WaitsForOneToEnd()
    {
        using var budget = Budget(perSecond: 1000, atOnce: 2);
        var first = await Permit(budget, "a", "o");
        await Permit(budget, "a", "o");
        var third = Permit(budget, "a", "o");
        Assert.False(third.IsCompleted);

        first.Dispose();

        await third;
        first.Dispose();
        Assert.False(Permit(budget, "a", "o").IsCompleted);
    }

    [Fact]
    public async Task AcquireAsync_OverAMinute_GivesNoMoreThanTheCeilingASecond()
    {
        using var budget = Budget(perSecond: 20, atOnce: int.MaxValue);
        var permits = Enumerable.Range(0, 2000).Select(_ => Permit(budget, "a", "o")).ToList();

        for (var second = 1; second <= 60; second++)
        {
            for (var i = 0; i < 100; i++) _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.WhenAll(permits.Take((second * 20) - 1));
            Assert.InRange(permits.Count(permit => permit.IsCompleted), (second * 20) - 1, (second * 20) + 2);
        }
    }

    [Fact]
    public async Task AcquireAsync_OneCallerStorms_AnotherIsServedWithTheNextPermit()
    {
        using var budget = Budget(perSecond: 10, atOnce: 10);
        var storm = Enumerable.Range(0, 500).Select(i => Permit(budget, "storm", $"o-{i}")).ToList();

        var calm = Permit(budget, "calm", "o-1");
        Assert.False(calm.IsCompleted);
        for (var i = 0; i < 25; i++) _time.Advance(TimeSpan.FromMilliseconds(10));

        (await calm).Dispose();
        Assert.True(storm.Count(permit => permit.IsCompleted) < 10);
    }

    [Fact]
    public async Task AcquireAsync_GivenUp_CostsNobodyAPermit()
    {
        using var budget = Budget(perSecond: 1, atOnce: 1);
        var held = await Permit(budget, "a", "o");
        var waiters = Enumerable.Range(0, 50).Select(i => budget.Join($"given up {i}", new("b", "o"))).ToList();
        var givenUp = Enumerable.Range(0, 50).Select(i => budget.AcquireAsync($"given up {i}")).ToList();
        var patient = Permit(budget, "b", "o");
        waiters.ForEach(waiter => waiter.Dispose());
        foreach (var permit in givenUp) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => permit);

        held.Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));

        await patient;
    }

    [Theory]
    [InlineData("joins a call that waits")]
    [InlineData("joins before the call asks for its permit")]
    [InlineData("stays when the one that began it gives up")]
    public async Task S8_A_caller_that_joins_a_storms_call_brings_its_own_share(string how)
    {
        using var budget = Budget(perSecond: 10, atOnce: 10);
        for (var i = 0; i < 500; i++) _ = Permit(budget, "storm", $"o-{i}");
        var storming = budget.Join("shared", new("storm", "o-last"));
        Task<IDisposable>? permit = null;
        if (how.StartsWith("joins a", StringComparison.Ordinal)) permit = budget.AcquireAsync("shared");
        using var calm = budget.Join("shared", new("calm", "o-last"));
        permit ??= budget.AcquireAsync("shared");
        if (how.StartsWith("stays", StringComparison.Ordinal)) storming.Dispose();

        for (var i = 0; i < 25; i++) _time.Advance(TimeSpan.FromMilliseconds(10));

        (await permit).Dispose();
        Assert.False(budget.IsWaiting("shared"));
    }

    [Fact]
    public async Task AcquireAsync_NobodyWaits_IsCancelled()
    {
        using var budget = Budget(perSecond: 1000, atOnce: 10);
        budget.Join("call", new("a", "o")).Dispose();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => budget.AcquireAsync("call"));
    }

    private int _called;

    private async Task<IDisposable> Permit(StsRateLimiter budget, string caller, string organization)
    {
        var call = $"call {_called++}";
        // It waits for as long as the test runs.
        budget.Join(call, new(caller, organization));
        return await budget.AcquireAsync(call);
    }

    private StsRateLimiter Budget(int perSecond, int atOnce) => new(
        Options.Create(new IotCredentialsOptions { Sts = new StsOptions { PermitsPerSecond = perSecond, MaxConcurrent = atOnce } }),
        _time, new CredentialMetrics(_services.GetRequiredService<IMeterFactory>()));
}
