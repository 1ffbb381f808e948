using IotCredentials.Aws;
using Xunit;

namespace IotCredentials.Tests.Vending;

public sealed class FairQueueTests
{
    private readonly FairQueue<string> _queue = new();

    [Fact]
    public void Dequeue_OneCallerStorms_TheOthersComeRoundAtOnce()
    {
        for (var i = 0; i < 1000; i++) _queue.Enqueue("storm", $"o-{i}", $"storm {i}");
        _queue.Enqueue("calm", "o-1", "calm");

        var first = new[] { _queue.Dequeue(), _queue.Dequeue() };

        Assert.Contains("calm", first);
        Assert.Equal(999, _queue.Count);
    }

    [Fact]
    public void Dequeue_WithinOneCaller_OrganizationsTakeTurns()
    {
        for (var i = 0; i < 3; i++) _queue.Enqueue("caller", "o-busy", $"busy {i}");
        _queue.Enqueue("caller", "o-quiet", "quiet 0");
        _queue.Enqueue("caller", "o-quiet", "quiet 1");

        Assert.Equal(["busy 0", "quiet 0", "busy 1", "quiet 1", "busy 2", null], Enumerable.Range(0, 6).Select(_ => _queue.Dequeue()));
        Assert.Equal(0, _queue.Count);
    }
}
