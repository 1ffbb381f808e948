using System.Diagnostics.Metrics;
using CredentialModule.Telemetry;
using CredentialModule.Vending;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace CredentialModule.Tests.Vending;

public sealed class StsBudgetTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task TurnAsync_AtTheCeilingOfCallsAtOnce_WaitsForOneToEnd()
    {
        using var budget = Budget(perSecond: 1000, atOnce: 2);
        var first = await budget.TurnAsync(new("a", "o"), CancellationToken.None);
        await budget.TurnAsync(new("a", "o"), CancellationToken.None);
        var third = budget.TurnAsync(new("a", "o"), CancellationToken.None);
        Assert.False(third.IsCompleted);

        first.Dispose();

        await third;
        first.Dispose();
        Assert.False(budget.TurnAsync(new("a", "o"), CancellationToken.None).IsCompleted);
    }

    [Fact]
    public async Task TurnAsync_OverAMinute_GivesNoMoreThanTheCeilingASecond()
    {
        using var budget = Budget(perSecond: 20, atOnce: int.MaxValue);
        var turns = Enumerable.Range(0, 2000).Select(_ => budget.TurnAsync(new("a", "o"), CancellationToken.None)).ToList();

        for (var second = 1; second <= 60; second++)
        {
            for (var i = 0; i < 100; i++) _time.Advance(TimeSpan.FromMilliseconds(10));
            await Task.WhenAll(turns.Take((second * 20) - 1));
            Assert.InRange(turns.Count(turn => turn.IsCompleted), (second * 20) - 1, (second * 20) + 2);
        }
    }

    [Fact]
    public async Task TurnAsync_OneCallerStorms_AnotherIsServedWithTheNextPermit()
    {
        using var budget = Budget(perSecond: 10, atOnce: 10);
        var storm = Enumerable.Range(0, 500).Select(i => budget.TurnAsync(new("storm", $"o-{i}"), CancellationToken.None)).ToList();

        var calm = budget.TurnAsync(new("calm", "o-1"), CancellationToken.None);
        Assert.False(calm.IsCompleted);
        for (var i = 0; i < 25; i++) _time.Advance(TimeSpan.FromMilliseconds(10));

        (await calm).Dispose();
        Assert.True(storm.Count(turn => turn.IsCompleted) < 10);
    }

    [Fact]
    public async Task TurnAsync_GivenUp_CostsNobodyAPermit()
    {
        using var budget = Budget(perSecond: 1, atOnce: 1);
        var held = await budget.TurnAsync(new("a", "o"), CancellationToken.None);
        using var impatience = new CancellationTokenSource();
        var givenUp = Enumerable.Range(0, 50).Select(_ => budget.TurnAsync(new("b", "o"), impatience.Token)).ToList();
        var patient = budget.TurnAsync(new("b", "o"), CancellationToken.None);
        await impatience.CancelAsync();
        foreach (var turn in givenUp) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => turn);

        held.Dispose();
        _time.Advance(TimeSpan.FromSeconds(1));

        await patient;
    }

    private StsBudget Budget(int perSecond, int atOnce) => new(
        Options.Create(new IotCredentialsOptions { Sts = new StsOptions { PermitsPerSecond = perSecond, MaxConcurrent = atOnce } }),
        _time, new CredentialMetrics(_services.GetRequiredService<IMeterFactory>()));
}
