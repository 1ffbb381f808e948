using Xunit;

namespace Sandbox.Tests;

public sealed class CallLogTests
{
    [Fact]
    public async Task WaitForAsync_returns_once_enough_entries_match()
    {
        var log = new CallLog<string>();
        log.Add("a");
        var wait = log.WaitForAsync(entry => entry == "a", 2, TestContext.Current.CancellationToken);
        log.Add("b");
        Assert.False(wait.IsCompleted);
        log.Add("a");

        Assert.Equal(["a", "a"], await wait);
        Assert.Equal(["a", "b", "a"], log.Snapshot());
        Assert.Equal((3, 1), (log.Count(), log.Count(entry => entry == "b")));
    }

    [Fact]
    public async Task WaitForAsync_cancelled_throws()
    {
        using var cancelled = new CancellationTokenSource();
        var wait = new CallLog<string>().WaitForAsync(_ => true, cancellationToken: cancelled.Token);
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
    }
}
