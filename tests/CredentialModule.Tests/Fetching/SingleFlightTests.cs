using IotCredentials.Fetching;
using Xunit;

namespace IotCredentials.Tests.Fetching;

public sealed class SingleFlightTests
{
    private readonly SingleFlight _flights = new();
    private readonly TaskCompletionSource<int> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _runs;

    [Fact]
    public async Task Callers_of_one_key_share_one_run_and_another_key_has_its_own()
    {
        var joined = Enumerable.Range(0, 10).Select(_ => JoinAsync("key")).ToList();
        var other = _flights.JoinAsync("other", () => Task.FromResult(7));

        Assert.Equal(7, await other);
        Assert.True(_flights.IsUnderWay("key"));
        _end.SetResult(42);

        Assert.All(await Task.WhenAll(joined), static result => Assert.Equal(42, result));
        Assert.Equal(1, _runs);
    }

    [Fact]
    public async Task A_failure_is_shared_by_all_who_joined()
    {
        var joined = Enumerable.Range(0, 10).Select(_ => JoinAsync("key")).ToList();

        _end.SetException(new InvalidOperationException("of all"));

        foreach (var caller in joined) Assert.Equal("of all", (await Assert.ThrowsAsync<InvalidOperationException>(() => caller)).Message);
        Assert.Equal(1, _runs);
    }

    [Fact]
    public async Task A_call_after_the_end_runs_again_also_after_a_failure()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() => _flights.JoinAsync<int>("key", static () => throw new InvalidOperationException("at once")));
        Assert.False(_flights.IsUnderWay("key"));

        for (var i = 0; i < 3; i++) Assert.Equal(i, await _flights.JoinAsync("key", () => Task.FromResult(i)));
    }

    [Fact]
    public async Task A_caller_that_leaves_ends_the_run_for_nobody()
    {
        using var leaving = new CancellationTokenSource();
        var first = JoinAsync("key").WaitAsync(leaving.Token);
        var second = JoinAsync("key");

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.True(_flights.IsUnderWay("key"));
        _end.SetResult(42);
        Assert.Equal(42, await second);
        Assert.Equal(1, _runs);
    }

    private Task<int> JoinAsync(string key) => _flights.JoinAsync(key, () =>
    {
        Interlocked.Increment(ref _runs);
        return _end.Task;
    });
}
